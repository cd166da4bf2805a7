package io.taskbroker.client;

/// Identity of one delivery of a task. Tokens of later deliveries of the same task compare greater,
/// so that it serves as a fencing token: pass it to a database or service that refuses lower ones.
///
/// @param epoch unsigned
/// @param number unsigned
public record AttemptToken(long epoch, long number) implements Comparable<AttemptToken> {
  @Override
  public int compareTo(AttemptToken other) {
    int byEpoch = Long.compareUnsigned(epoch, other.epoch);
    return byEpoch != 0 ? byEpoch : Long.compareUnsigned(number, other.number);
  }

  /// Both parts in decimal, as logs and tools of the broker show it.
  @Override
  public String toString() {
    return Long.toUnsignedString(epoch) + "-" + Long.toUnsignedString(number);
  }
}
