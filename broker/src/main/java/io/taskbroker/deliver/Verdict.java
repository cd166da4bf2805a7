package io.taskbroker.deliver;

import io.grpc.Status;
import io.taskbroker.inflight.PushOutcome;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What the end of a call says of where the activation is (H9, H24). What is not proven to have
/// stayed here may have arrived.
final class Verdict {
  private static final int DETAIL_CHARS = 300;

  /// How the gRPC library describes calls that were sent, and that the other side said it has not
  /// processed: refused by REFUSED_STREAM, or above the last stream of a GOAWAY without error.
  private static final List<String> NOT_PROCESSED =
      List.of(
          "RST_STREAM closed stream. HTTP/2 error code: REFUSED_STREAM",
          "Abrupt GOAWAY closed sent stream");

  /// How it describes calls on a connection that it gives up, but that may still deliver what it
  /// holds.
  private static final String GIVEN_UP = "Keepalive failed";

  private Verdict() {}

  /// @param begun whether the call was given to a connection
  /// @param sent whether the connection wrote the beginning of the call
  /// @param answered whether the status came from the other side
  static PushOutcome of(Status status, boolean begun, boolean sent, boolean answered) {
    if (status.isOk()) {
      return PushOutcome.ACCEPTED;
    }
    if (!begun) {
      return PushOutcome.UNREACHABLE;
    }
    String description = description(status);
    return switch (status.getCode()) {
      case UNAVAILABLE ->
          !answered && isNotProcessed(description, sent)
              ? PushOutcome.UNREACHABLE
              : PushOutcome.LOST;
      case DEADLINE_EXCEEDED, CANCELLED -> PushOutcome.LOST;
      case RESOURCE_EXHAUSTED ->
          answered && description.toLowerCase(Locale.ROOT).contains("busy")
              ? PushOutcome.BUSY
              : refused(description, answered);
      default -> refused(description, answered);
    };
  }

  /// A line for people, without what a worker could do to a log.
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

  private static boolean isNotProcessed(String description, boolean sent) {
    return sent
        ? NOT_PROCESSED.stream().anyMatch(description::startsWith)
        : !description.startsWith(GIVEN_UP);
  }

  /// The end of a connection says nothing of any one call.
  private static PushOutcome refused(String description, boolean answered) {
    return !answered && description.contains("GOAWAY") ? PushOutcome.LOST : PushOutcome.REFUSED;
  }

  private static String description(Status status) {
    @Nullable String description = status.getDescription();
    return description == null ? "" : description;
  }
}
