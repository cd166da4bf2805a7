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
/// @param idle how long a connection without calls is kept; at least a second
public record PushOptions(
    List<String> secrets,
    Duration timeout,
    int maxMessageBytes,
    Optional<TlsContext> tls,
    Duration idle) {
  /// Less than the time after which load balancers and address translators forget a connection,
  /// which is a minute or more where it was looked up (AWS ALB 60 s, HAProxy 50 s, Azure 4 min).
  private static final Duration IDLE = Duration.ofSeconds(15);

  public PushOptions {
    secrets = List.copyOf(secrets);
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("The push timeout must be positive, but is " + timeout);
    }
  }

  /// The options with the usual time for connections without calls.
  public PushOptions(
      List<String> secrets, Duration timeout, int maxMessageBytes, Optional<TlsContext> tls) {
    this(secrets, timeout, maxMessageBytes, tls, IDLE);
  }

  /// The options for workers at `http` addresses.
  public PushOptions(List<String> secrets, Duration timeout, int maxMessageBytes) {
    this(secrets, timeout, maxMessageBytes, Optional.empty());
  }

  /// Without the secrets.
  @Override
  public String toString() {
    return "PushOptions[secrets=%d, timeout=%s, maxMessageBytes=%d, tls=%s, idle=%s]"
        .formatted(secrets.size(), timeout, maxMessageBytes, tls.isPresent(), idle);
  }
}
