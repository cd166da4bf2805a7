package io.taskbroker.inflight;

/// Epoch of the [AttemptToken]s of one life of a broker: one object that all deliveries share.
/// Immutable.
public record TokenEpoch(long value) {
  private static final int UNIQUE_BITS = 20;

  /// The epoch of a broker that starts now. Two brokers that start in the same millisecond get the
  /// same one with a probability of one in a million.
  ///
  /// @param wall milliseconds since the epoch of the clock
  /// @param random a random number, of which the 20 lowest bits are used
  public static TokenEpoch at(long wall, long random) {
    return new TokenEpoch(wall << UNIQUE_BITS | (random & ((1 << UNIQUE_BITS) - 1)));
  }
}
