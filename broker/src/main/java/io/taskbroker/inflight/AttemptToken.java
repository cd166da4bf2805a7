package io.taskbroker.inflight;

/// Fencing token of one delivery: unique across restarts and brokers, and ascending in the order of
/// deliveries within one life of a broker, and from life to life while its clock is not set back
/// (docs/adr/0019). Immutable.
///
/// @param epoch of the life of the broker that delivered it, see [TokenEpoch]
/// @param number of the delivery within that life, from 1
public record AttemptToken(long epoch, long number) implements Comparable<AttemptToken> {
  @Override
  public int compareTo(AttemptToken other) {
    int byEpoch = Long.compare(epoch, other.epoch);
    return byEpoch != 0 ? byEpoch : Long.compare(number, other.number);
  }
}
