package io.taskbroker.grpc;

import io.taskbroker.tls.TlsContext;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// How calls of workers are served.
///
/// @param address where to listen; port 0 for any that is free
/// @param secrets each of them may have signed a call; without any, every call is accepted
/// @param pushMode whether activations are pushed, so that nobody may fetch them
/// @param tls how connections are protected; without it they are plaintext
public record GrpcOptions(
    InetSocketAddress address,
    List<String> secrets,
    boolean pushMode,
    Limits limits,
    Optional<TlsContext> tls) {
  public GrpcOptions {
    secrets = List.copyOf(secrets);
  }

  /// The options with other limits, in plaintext.
  public GrpcOptions(
      InetSocketAddress address, List<String> secrets, boolean pushMode, Limits limits) {
    this(address, secrets, pushMode, limits, Optional.empty());
  }

  /// The options with the usual limits, in plaintext.
  public GrpcOptions(InetSocketAddress address, List<String> secrets, boolean pushMode) {
    this(address, secrets, pushMode, Limits.USUAL);
  }

  /// Without the secrets.
  @Override
  public String toString() {
    return "GrpcOptions[address=%s, secrets=%d, pushMode=%s, limits=%s, tls=%s]"
        .formatted(address, secrets.size(), pushMode, limits, tls.isPresent());
  }

  /// What bounds the server (G7).
  ///
  /// @param requestBytes the largest request; a larger one fails with RESOURCE_EXHAUSTED
  /// @param updates the most results in one call; more fail with INVALID_ARGUMENT
  /// @param callsPerConnection the most calls that run at the same time on one connection; a client
  ///   holds back what is more
  /// @param connections the most connections; what is more is closed at once
  /// @param patience how long a connection may take to say that it speaks HTTP/2, and a request to
  ///   come in full
  public record Limits(
      int requestBytes, int updates, int callsPerConnection, int connections, Duration patience) {
    /// Requests of 4 MiB, as the reference has it (reference-spec 2.6), and as many results as fit
    /// in there.
    public static final Limits USUAL = new Limits(4 << 20, 120_000, 1_024, 8_192);

    /// The limits with a patience of 20 s.
    public Limits(int requestBytes, int updates, int callsPerConnection, int connections) {
      this(requestBytes, updates, callsPerConnection, connections, Duration.ofSeconds(20));
    }
  }
}
