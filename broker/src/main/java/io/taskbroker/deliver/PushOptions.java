package io.taskbroker.deliver;

import java.time.Duration;
import java.util.List;

/// How activations are pushed.
///
/// @param secrets the first signs the calls; without any they are not signed
/// @param timeout how long a call may take, connecting included
/// @param maxMessageBytes the largest message that is sent
public record PushOptions(List<String> secrets, Duration timeout, int maxMessageBytes) {
  public PushOptions {
    secrets = List.copyOf(secrets);
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("The push timeout must be positive, but is " + timeout);
    }
  }

  /// Without the secrets.
  @Override
  public String toString() {
    return "PushOptions[secrets=%d, timeout=%s, maxMessageBytes=%d]"
        .formatted(secrets.size(), timeout, maxMessageBytes);
  }
}
