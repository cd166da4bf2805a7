package io.taskbroker.deliver;

import io.grpc.Status;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Classifier of push call statuses (H9, H24), by the rows of `docs/push-statuses.md`. Only proof
/// that no worker has the activation yields BUSY or UNREACHABLE.
///
/// Three parties end calls: the worker or a proxy by a gRPC status, an HTTP-only server or proxy,
/// and the gRPC library of this process when a stream or connection ends.
final class PushStatusClassifier {
  private static final int DETAIL_CHARS = 300;

  /// gRPC library descriptions of calls that were sent and that the remote side declared
  /// unprocessed: refused by REFUSED_STREAM, or above the last stream of a GOAWAY.
  private static final List<String> NOT_PROCESSED =
      List.of(
          "RST_STREAM closed stream. HTTP/2 error code: REFUSED_STREAM",
          "Abrupt GOAWAY closed sent stream");

  /// Description of calls on a connection that the library abandons, but whose buffered data may
  /// still be delivered.
  private static final String ABANDONED = "Keepalive failed";

  private static final Pattern RESET =
      Pattern.compile("RST_STREAM closed stream\\. HTTP/2 error code: (\\w+)");

  /// Description of a response without a gRPC status.
  private static final Pattern HTTP = Pattern.compile("HTTP status code ([0-9]{3})\\b");

  /// Envoy's local rate limit, which responds before it calls a worker.
  private static final String RATE_LIMITED = "local_rate_limited";

  /// Envoy's response when a worker does not respond.
  private static final String TIMED_OUT = "upstream request timeout";

  /// Overload refusals decided before a handler sees the call: of the published client and many
  /// others, and of grpcio with `maximum_concurrent_rpcs`.
  private static final List<String> BUSY =
      List.of("busy", "concurrent rpc limit exceeded", RATE_LIMITED);

  /// Phrases of grpcio, grpc-java, grpc-go, tonic, grpc-dotnet, connect and Envoy for a message
  /// over a size limit.
  private static final List<String> TOO_LARGE =
      List.of(
          "larger than",
          "too large",
          "too big",
          "exceeds maximum size",
          "exceeds the maximum",
          "exceeds max",
          "max size");

  /// Envoy's description of a call that it did not answer with a worker's response. After a retry
  /// it says "retried and the latest reset reason", and an earlier try may have arrived.
  private static final Pattern ENVOY =
      Pattern.compile(
          "upstream connect error or disconnect/reset before headers\\. "
              + "(?<retried>retried and the latest )?reset reason: (?<reason>[a-z ]+)");

  private PushStatusClassifier() {}

  /// @param begun whether the call was assigned to a connection
  /// @param sent whether the connection wrote the start of the call
  /// @param answered whether the status came from the remote side
  static PushOutcome of(Status status, boolean begun, boolean sent, boolean answered) {
    if (status.isOk()) {
      return PushOutcome.ACCEPTED;
    }
    if (!begun) {
      return PushOutcome.UNREACHABLE;
    }
    String description = description(status);
    if (answered) {
      return ofAnswer(status.getCode(), description.toLowerCase(Locale.ROOT));
    }
    Matcher http = HTTP.matcher(description);
    return http.lookingAt()
        ? ofHttp(Integer.parseInt(http.group(1)))
        : ofConnection(status.getCode(), description, sent);
  }

  /// Outcome of a gRPC status sent by the worker or a proxy.
  private static PushOutcome ofAnswer(Status.Code code, String text) {
    return switch (code) {
      case RESOURCE_EXHAUSTED -> {
        if (containsAny(text, TOO_LARGE)) {
          yield PushOutcome.REFUSED;
        }
        yield containsAny(text, BUSY) ? PushOutcome.BUSY : PushOutcome.OVERLOADED;
      }
      case UNAVAILABLE -> ofUnavailable(text);
      case INVALID_ARGUMENT, OUT_OF_RANGE -> PushOutcome.REFUSED;
      case CANCELLED, DEADLINE_EXCEEDED -> PushOutcome.UNANSWERED;
      case OK -> PushOutcome.ACCEPTED;
      case UNKNOWN,
          INTERNAL,
          ABORTED,
          DATA_LOSS,
          ALREADY_EXISTS,
          FAILED_PRECONDITION,
          NOT_FOUND,
          PERMISSION_DENIED,
          UNAUTHENTICATED,
          UNIMPLEMENTED ->
          containsAny(text, TOO_LARGE) ? PushOutcome.REFUSED : PushOutcome.REJECTED;
    };
  }

  private static PushOutcome ofUnavailable(String text) {
    Matcher envoy = ENVOY.matcher(text);
    if (!envoy.lookingAt()) {
      if (text.equals(RATE_LIMITED)) {
        return PushOutcome.BUSY;
      }
      return text.equals(TIMED_OUT) ? PushOutcome.UNANSWERED : PushOutcome.OVERLOADED;
    }
    boolean onlyTry = envoy.group("retried") == null;
    return switch (envoy.group("reason").strip()) {
      case "connection termination" -> PushOutcome.LOST;
      case "overflow" -> onlyTry ? PushOutcome.BUSY : PushOutcome.OVERLOADED;
      case "connection failure",
          "local connection failure",
          "remote connection failure",
          "connection timeout",
          "remote refused stream reset" ->
          onlyTry ? PushOutcome.UNREACHABLE : PushOutcome.OVERLOADED;
      default -> PushOutcome.OVERLOADED;
    };
  }

  /// Outcome of an HTTP response without gRPC. A 4xx response means that the call was not passed
  /// on.
  private static PushOutcome ofHttp(int status) {
    return switch (status) {
      case 413 -> PushOutcome.REFUSED;
      case 429 -> PushOutcome.BUSY;
      case 408, 504 -> PushOutcome.UNANSWERED;
      default -> {
        if (status >= 500) {
          yield PushOutcome.OVERLOADED;
        }
        yield status >= 400 ? PushOutcome.UNREACHABLE : PushOutcome.REJECTED;
      }
    };
  }

  /// Outcome of a stream or connection that ended, as reported by the local library.
  private static PushOutcome ofConnection(Status.Code code, String description, boolean sent) {
    Matcher reset = RESET.matcher(description);
    if (code == Status.Code.UNAVAILABLE && isNotProcessed(description, sent)) {
      return PushOutcome.UNREACHABLE;
    }
    if (reset.lookingAt()) {
      return switch (reset.group(1)) {
        case "CANCEL" -> PushOutcome.UNANSWERED;
        case "ENHANCE_YOUR_CALM" -> PushOutcome.OVERLOADED;
        default -> PushOutcome.REJECTED;
      };
    }
    // The end of a connection says nothing about any single call.
    if (code == Status.Code.UNAVAILABLE || description.contains("GOAWAY")) {
      return PushOutcome.LOST;
    }
    return switch (code) {
      // RESOURCE_EXHAUSTED here is a response over our limit: the worker has the task, or ran it.
      case CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED -> PushOutcome.UNANSWERED;
      default -> PushOutcome.REJECTED;
    };
  }

  private static boolean isNotProcessed(String description, boolean sent) {
    return sent
        ? NOT_PROCESSED.stream().anyMatch(description::startsWith)
        : !description.startsWith(ABANDONED);
  }

  private static boolean containsAny(String text, List<String> words) {
    return words.stream().anyMatch(text::contains);
  }

  /// One-line description for logs, truncated and without control characters.
  static String detail(Status status) {
    StringBuilder text = new StringBuilder(status.getCode().name());
    description(status).lines().findFirst().ifPresent(line -> text.append(": ").append(line));
    Throwable cause = status.getCause();
    if (cause != null && cause.getMessage() != null) {
      text.append(" (").append(cause.getMessage()).append(')');
    }
    text.setLength(Math.min(text.length(), DETAIL_CHARS));
    return text.toString().replaceAll("\\p{Cntrl}", " ");
  }

  private static String description(Status status) {
    @Nullable String description = status.getDescription();
    return description == null ? "" : description;
  }
}
