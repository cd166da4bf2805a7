package io.taskbroker.grpc;

import io.taskbroker.tls.TlsContext;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Options of the gRPC server.
///
/// @param address address to listen on; port 0 for any free port
/// @param secrets secrets of which any may have signed a call; without any, every call is accepted
/// @param pushMode whether activations are pushed, so that workers may not fetch them
/// @param tls TLS of the connections; without it they are plaintext
/// @param loops number of event loop threads
public record GrpcOptions(
    InetSocketAddress address,
    List<String> secrets,
    boolean pushMode,
    Limits limits,
    Optional<TlsContext> tls,
    int loops) {
  /// Maximum number of event loops; more do not help while one engine thread makes all decisions.
  private static final int MAX_LOOPS = 4;

  public GrpcOptions {
    secrets = List.copyOf(secrets);
  }

  /// Options with one event loop per two processors, four at most.
  public GrpcOptions(
      InetSocketAddress address,
      List<String> secrets,
      boolean pushMode,
      Limits limits,
      Optional<TlsContext> tls) {
    this(
        address,
        secrets,
        pushMode,
        limits,
        tls,
        Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, MAX_LOOPS));
  }

  /// Plaintext options with the given limits.
  public GrpcOptions(
      InetSocketAddress address, List<String> secrets, boolean pushMode, Limits limits) {
    this(address, secrets, pushMode, limits, Optional.empty());
  }

  /// Plaintext options with the default limits.
  public GrpcOptions(InetSocketAddress address, List<String> secrets, boolean pushMode) {
    this(address, secrets, pushMode, Limits.DEFAULT);
  }

  /// Omits the secrets.
  @Override
  public String toString() {
    return "GrpcOptions[address=%s, secrets=%d, pushMode=%s, limits=%s, tls=%s, loops=%d]"
        .formatted(address, secrets.size(), pushMode, limits, tls.isPresent(), loops);
  }

  /// Limits of the server (G7).
  ///
  /// @param requestBytes maximum request size; a larger request fails with RESOURCE_EXHAUSTED
  /// @param updates maximum status updates per call; more fail with INVALID_ARGUMENT
  /// @param callsPerConnection maximum concurrent calls per connection; clients queue further calls
  /// @param connections maximum connections; further ones are closed at once
  /// @param perPeer maximum connections of one address
  /// @param incompleteBytes memory budget of incomplete requests, and another of the same size for
  ///   pending calls with their requests
  /// @param unreadBytes memory budget of unread responses
  /// @param patience timeout of the HTTP/2 preface, of completing a frame or a request, and of
  ///   reading a response
  /// @param idle maximum time of a connection without a call
  public record Limits(
      int requestBytes,
      int updates,
      int callsPerConnection,
      int connections,
      int perPeer,
      long incompleteBytes,
      long unreadBytes,
      Duration patience,
      Duration idle) {
    /// Default limits: requests of 4 MiB as in the reference (reference-spec 2.6), and as many
    /// updates as fit into one.
    public static final Limits DEFAULT = new Limits(4 << 20, 120_000, 1_024, 8_192);

    private static final long MIN_BUDGET = 16 << 20;
    private static final int HEAP_FRACTION = 8;
    private static final int FEW_CONNECTIONS = 64;

    /// Limits with a patience of 20 s.
    public Limits(int requestBytes, int updates, int callsPerConnection, int connections) {
      this(requestBytes, updates, callsPerConnection, connections, Duration.ofSeconds(20));
    }

    /// Limits with the default memory budgets, each an eighth of the maximum heap. One address may
    /// have half of the connections, since it may be a load balancer.
    public Limits(
        int requestBytes, int updates, int callsPerConnection, int connections, Duration patience) {
      this(
          requestBytes,
          updates,
          callsPerConnection,
          connections,
          Math.max(connections / 2, Math.min(connections, FEW_CONNECTIONS)),
          budget(),
          budget(),
          patience,
          Duration.ofMinutes(5));
    }

    private static long budget() {
      return Math.max(MIN_BUDGET, Runtime.getRuntime().maxMemory() / HEAP_FRACTION);
    }
  }
}
