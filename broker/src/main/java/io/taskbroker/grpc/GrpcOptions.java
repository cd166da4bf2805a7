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
/// @param loops how many threads serve the connections
public record GrpcOptions(
    InetSocketAddress address,
    List<String> secrets,
    boolean pushMode,
    Limits limits,
    Optional<TlsContext> tls,
    int loops) {
  /// More do not help while one thread decides everything.
  private static final int MOST_LOOPS = 4;

  public GrpcOptions {
    secrets = List.copyOf(secrets);
  }

  /// The options with one loop for two processors, and four at most.
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
        Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, MOST_LOOPS));
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
    return "GrpcOptions[address=%s, secrets=%d, pushMode=%s, limits=%s, tls=%s, loops=%d]"
        .formatted(address, secrets.size(), pushMode, limits, tls.isPresent(), loops);
  }

  /// What bounds the server (G7).
  ///
  /// @param requestBytes the largest request; a larger one fails with RESOURCE_EXHAUSTED
  /// @param updates the most results in one call; more fail with INVALID_ARGUMENT
  /// @param callsPerConnection the most calls that run at the same time on one connection; a client
  ///   holds back what is more
  /// @param connections the most connections; what is more is closed at once
  /// @param perPeer the most connections of one address
  /// @param incompleteBytes the most that is kept of requests that have not come in full, and as
  ///   much again of calls that have not ended, with their requests
  /// @param unreadBytes the most that is kept of answers that are not read
  /// @param patience how long a connection may take to say that it speaks HTTP/2, a frame and a
  ///   request to come in full, and an answer to be read
  /// @param idle how long a connection may be without a call
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
    /// Requests of 4 MiB, as the reference has it (reference-spec 2.6), and as many results as fit
    /// in there.
    public static final Limits USUAL = new Limits(4 << 20, 120_000, 1_024, 8_192);

    private static final long LEAST_BUDGET = 16 << 20;
    private static final int PART_OF_MEMORY = 8;
    private static final int FEW_CONNECTIONS = 64;

    /// The limits with a patience of 20 s.
    public Limits(int requestBytes, int updates, int callsPerConnection, int connections) {
      this(requestBytes, updates, callsPerConnection, connections, Duration.ofSeconds(20));
    }

    /// The limits with the usual ones for memory: each budget is an eighth of the largest heap.
    /// Half of the connections may be of one address, which may be that of a balancer.
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
      return Math.max(LEAST_BUDGET, Runtime.getRuntime().maxMemory() / PART_OF_MEMORY);
    }
  }
}
