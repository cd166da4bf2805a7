package io.taskbroker.deliver;

import io.taskbroker.tls.TlsContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Options of the push client.
///
/// @param secrets signing secrets, of which the first signs the calls; empty for unsigned calls
/// @param timeout maximum duration of a call, connecting included
/// @param maxMessageBytes maximum message size
/// @param tls TLS for workers at `https` addresses; without it none are allowed
/// @param connections number and lifetime of connections
public record PushOptions(
    List<String> secrets,
    Duration timeout,
    int maxMessageBytes,
    Optional<TlsContext> tls,
    Connections connections) {

  public PushOptions {
    secrets = List.copyOf(secrets);
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("The push timeout must be positive, but is " + timeout);
    }
  }

  /// Options for workers at `http` addresses, with the default connections.
  public PushOptions(List<String> secrets, Duration timeout, int maxMessageBytes) {
    this(secrets, timeout, maxMessageBytes, Optional.empty(), Connections.DEFAULT);
  }

  /// Copy with other connections.
  public PushOptions with(Connections other) {
    return new PushOptions(secrets, timeout, maxMessageBytes, tls, other);
  }

  /// Limits of the connections to the workers of an application.
  ///
  /// @param count number of connections, rounded to the same number per address; positive
  /// @param age maximum age, after which a connection is replaced; never before a tenth of it;
  ///   positive
  /// @param idle how long a connection without calls is kept; at least a second
  public record Connections(int count, Duration age, Duration idle) {
    /// Shorter than the idle timeout of common load balancers and NAT gateways, a minute or more
    /// where documented (AWS ALB 60 s, HAProxy 50 s, Azure 4 min).
    private static final Duration IDLE = Duration.ofSeconds(15);

    static final Connections DEFAULT = new Connections(12, Duration.ofSeconds(30));

    public Connections {
      if (count < 1 || !age.isPositive()) {
        throw new IllegalArgumentException(
            "%d connections for %s: both must be positive".formatted(count, age));
      }
    }

    /// Connections with the default idle timeout.
    public Connections(int count, Duration age) {
      this(count, age, IDLE);
    }
  }

  /// Omits the secrets.
  @Override
  public String toString() {
    return "PushOptions[secrets=%d, timeout=%s, maxMessageBytes=%d, tls=%s, connections=%s]"
        .formatted(secrets.size(), timeout, maxMessageBytes, tls.isPresent(), connections);
  }
}
