package io.taskbroker.activation;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Trace that a task belongs to, and the span of its publisher, from the headers of the task: the
/// W3C trace context, or `sentry-trace` as the published Python client writes it. Immutable.
///
/// @param traceId 32 lower-case hexadecimal digits, not all 0
/// @param spanId 16 lower-case hexadecimal digits, not all 0
/// @param state `tracestate`, at most [#MAX_STATE] characters; may be empty
public record TraceContext(String traceId, String spanId, Sampling sampling, String state) {
  /// Header with trace, span and sampling decision.
  public static final String PARENT_HEADER = "traceparent";

  /// Header with the state of tracing systems.
  public static final String STATE_HEADER = "tracestate";

  /// Header of Sentry's clients.
  public static final String SENTRY_HEADER = "sentry-trace";

  /// Longest `tracestate`, in characters; a longer one is dropped.
  public static final int MAX_STATE = 512;

  /// Later versions of the format may append fields.
  private static final Pattern PARENT =
      Pattern.compile("(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?");

  private static final Pattern SENTRY =
      Pattern.compile("([0-9a-f]{32})-([0-9a-f]{16})(?:-([01]))?");

  private static final String NO_TRACE = "0".repeat(32);
  private static final String NO_SPAN = "0".repeat(16);

  /// Whether the publisher recorded the trace.
  public enum Sampling {
    SAMPLED,
    NOT_SAMPLED,
    /// It left that to others.
    OPEN
  }

  /// The context of W3C headers; null if `parent` is not well-formed.
  ///
  /// @param state may be empty
  public static @Nullable TraceContext of(String parent, String state) {
    Matcher fields = PARENT.matcher(parent);
    if (!fields.matches() || ("00".equals(fields.group(1)) && fields.group(5) != null)) {
      return null;
    }
    boolean sampled = (Integer.parseInt(fields.group(4), 16) & 1) != 0;
    return of(
        fields.group(2),
        fields.group(3),
        sampled ? Sampling.SAMPLED : Sampling.NOT_SAMPLED,
        state.length() <= MAX_STATE ? state : "");
  }

  /// The context of a `sentry-trace` header; null if it is not well-formed.
  public static @Nullable TraceContext ofSentry(String trace) {
    Matcher fields = SENTRY.matcher(trace);
    if (!fields.matches()) {
      return null;
    }
    Sampling sampling =
        fields.group(3) == null
            ? Sampling.OPEN
            : "1".equals(fields.group(3)) ? Sampling.SAMPLED : Sampling.NOT_SAMPLED;
    return of(fields.group(1), fields.group(2), sampling, "");
  }

  /// The `traceparent` header of this context; sampled if the decision is open.
  public String parent() {
    return "00-" + traceId + "-" + spanId + (sampling == Sampling.NOT_SAMPLED ? "-00" : "-01");
  }

  private static @Nullable TraceContext of(
      String traceId, String spanId, Sampling sampling, String state) {
    return traceId.equals(NO_TRACE) || spanId.equals(NO_SPAN)
        ? null
        : new TraceContext(traceId, spanId, sampling, state);
  }
}
