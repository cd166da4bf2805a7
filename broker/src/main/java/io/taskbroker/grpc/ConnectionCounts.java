package io.taskbroker.grpc;

import io.taskbroker.telemetry.Metrics;
import java.util.Locale;

/// Metrics of refused and closed connections, with one log line in ten seconds (G7). Thread-safe.
final class ConnectionCounts {
  private final RareWarning refusals = new RareWarning(ConnectionLimit.class);
  private final RareWarning closings = new RareWarning(FrameGuard.class);
  private final Metrics metrics;

  ConnectionCounts(Metrics metrics) {
    this.metrics = metrics;
  }

  /// Reason for closing a new connection at once.
  enum Refusal {
    TOTAL("the server has reached its connection limit"),
    PEER("its address has reached its connection limit"),
    RATE("its address exceeds the connection rate limit");

    private final String text;

    Refusal(String text) {
      this.text = text;
    }
  }

  /// Reason for closing an open connection.
  enum Closing {
    FRAMES("frames", "too many frames without work: settings, pings, resets, tiny data frames"),
    REQUESTS("requests", "too much memory in incomplete requests"),
    SLOW("slow", "a frame was not completed in time"),
    UNREAD("unread", "it does not read its responses"),
    ABUSE("abuse", "HTTP/2 protocol abuse");

    private final String tag;
    private final String text;

    Closing(String tag, String text) {
      this.tag = tag;
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  void opened() {
    metrics.grpcConnections.inc();
  }

  void ended() {
    metrics.grpcConnections.dec();
  }

  void refused(Refusal reason, Object peer) {
    metrics.grpcConnectionsRefused.of(reason.name().toLowerCase(Locale.ROOT)).inc();
    refusals.log("Refused a gRPC connection from {}", peer + ": " + reason.text);
  }

  void closed(Closing reason, Object peer) {
    metrics.grpcConnectionsClosed.of(reason.tag).inc();
    closings.log("Closed the gRPC connection from {}", peer + ": " + reason.text);
  }
}
