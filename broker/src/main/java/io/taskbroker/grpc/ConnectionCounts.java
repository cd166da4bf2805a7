package io.taskbroker.grpc;

import io.taskbroker.telemetry.Metrics;
import java.util.Locale;

/// Connections that were refused or closed, in metrics and in one line of the log in ten seconds
/// (G7). Thread-safe.
final class ConnectionCounts {
  private final RareWarning refusals = new RareWarning(ConnectionLimit.class);
  private final RareWarning closings = new RareWarning(FrameGuard.class);
  private final Metrics metrics;

  ConnectionCounts(Metrics metrics) {
    this.metrics = metrics;
  }

  /// Why a new connection is closed at once.
  enum Refusal {
    TOTAL("there are as many connections as the server takes"),
    PEER("its address has as many connections as one may have"),
    RATE("its address connects too often");

    private final String text;

    Refusal(String text) {
      this.text = text;
    }
  }

  /// Why an open connection is closed.
  enum Closing {
    FRAMES("frames", "it sends frames that are no work: settings, pings, resets, crumbs"),
    REQUESTS("requests", "it holds too much of requests that have not come in full"),
    SLOW("slow", "a frame that it began does not come in full"),
    UNREAD("unread", "it reads no answers"),
    ABUSE("abuse", "it abuses HTTP/2");

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
    refusals.log("Refused a gRPC connection of {}", peer + ": " + reason.text);
  }

  void closed(Closing reason, Object peer) {
    metrics.grpcConnectionsClosed.of(reason.tag).inc();
    closings.log("Closed the gRPC connection of {}", peer + ": " + reason.text);
  }
}
