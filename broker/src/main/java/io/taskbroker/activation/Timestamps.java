package io.taskbroker.activation;

import com.google.protobuf.Timestamp;

/// Protobuf timestamps of activations. Stateless.
public final class Timestamps {
  private Timestamps() {}

  /// @param millis milliseconds since the epoch
  public static Timestamp ofMillis(long millis) {
    return Timestamp.newBuilder()
        .setSeconds(Math.floorDiv(millis, 1000))
        .setNanos(Math.floorMod(millis, 1000) * 1_000_000)
        .build();
  }
}
