package io.taskbroker.inflight;

/// Fencing token of one delivery: unique across restarts and brokers, and ascending in the order of
/// deliveries within one life of a broker, and from life to life while its clock is not set back
/// (docs/adr/0019). Immutable.
///
/// @param epoch of the life of the broker that delivered it
/// @param number of the delivery within that life, from 1
public record AttemptToken(long epoch, long number) implements Comparable<AttemptToken> {
  private static final int UNIQUE_BITS = 20;

  /// The epoch of a broker that starts now. Two brokers that start in the same millisecond get the
  /// same one with a probability of one in a million.
  ///
  /// @param wall milliseconds since the epoch of the clock
  /// @param random a random number, of which the 20 lowest bits are used
  public static long epochAt(long wall, long random) {
    return wall << UNIQUE_BITS | (random & ((1 << UNIQUE_BITS) - 1));
  }

  @Override
  public int compareTo(AttemptToken other) {
    int byEpoch = Long.compare(epoch, other.epoch);
    return byEpoch != 0 ? byEpoch : Long.compare(number, other.number);
  }
}
