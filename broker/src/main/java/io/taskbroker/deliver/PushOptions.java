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
/// @param connections how many connections there are, and for how long
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

  /// The options for workers at `http` addresses, with the usual connections.
  public PushOptions(List<String> secrets, Duration timeout, int maxMessageBytes) {
    this(secrets, timeout, maxMessageBytes, Optional.empty(), Connections.USUAL);
  }

  /// The same with other connections.
  public PushOptions with(Connections other) {
    return new PushOptions(secrets, timeout, maxMessageBytes, tls, other);
  }

  /// Connections to the workers of an application.
  ///
  /// @param count how many there are; positive, and rounded to as many for each address
  /// @param age after at most that time a connection is replaced, and not before a tenth of it;
  ///   positive
  /// @param idle how long a connection without calls is kept; at least a second
  public record Connections(int count, Duration age, Duration idle) {
    /// The time is less than that after which load balancers and address translators forget a
    /// connection, which is a minute or more where it was looked up (AWS ALB 60 s, HAProxy 50 s,
    /// Azure 4 min).
    private static final Duration IDLE = Duration.ofSeconds(15);

    static final Connections USUAL = new Connections(12, Duration.ofSeconds(30));

    public Connections {
      if (count < 1 || !age.isPositive()) {
        throw new IllegalArgumentException(
            "%d connections for %s: both must be positive".formatted(count, age));
      }
    }

    /// Connections that are kept for the usual time without calls.
    public Connections(int count, Duration age) {
      this(count, age, IDLE);
    }
  }

  /// Without the secrets.
  @Override
  public String toString() {
    return "PushOptions[secrets=%d, timeout=%s, maxMessageBytes=%d, tls=%s, connections=%s]"
        .formatted(secrets.size(), timeout, maxMessageBytes, tls.isPresent(), connections);
  }
}
