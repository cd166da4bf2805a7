package io.taskbroker.deliver;

import io.taskbroker.tls.TlsContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// How activations are pushed.
///
/// @param secrets the first signs the calls; without any they are not signed
/// @param timeout how long a call may take, connecting included
/// @param maxMessageBytes the largest message that is sent
/// @param tls how workers at `https` addresses are reached; without it there can be none
public record PushOptions(
    List<String> secrets, Duration timeout, int maxMessageBytes, Optional<TlsContext> tls) {
  public PushOptions {
    secrets = List.copyOf(secrets);
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("The push timeout must be positive, but is " + timeout);
    }
  }

  /// The options for workers at `http` addresses.
  public PushOptions(List<String> secrets, Duration timeout, int maxMessageBytes) {
    this(secrets, timeout, maxMessageBytes, Optional.empty());
  }

  /// Without the secrets.
  @Override
  public String toString() {
    return "PushOptions[secrets=%d, timeout=%s, maxMessageBytes=%d, tls=%s]"
        .formatted(secrets.size(), timeout, maxMessageBytes, tls.isPresent());
  }
}
