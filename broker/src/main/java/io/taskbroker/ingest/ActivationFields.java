package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Priority;
import org.jspecify.annotations.Nullable;

/// Fields of one message as they are on the wire, with their validation and the arithmetic of delay
/// and expiry, which never overflows (W11).
final class ActivationFields {
  /// The bounds of `google.protobuf.Timestamp`: the years 1 to 9999.
  private static final long MIN_SECONDS = -62_135_596_800L;

  private static final long MAX_SECONDS = 253_402_300_799L;

  /// Tolerated lead of a publisher's clock over the broker's.
  private static final long MAX_AHEAD_MS = 60_000;

  private static final int NANOS_PER_SECOND = 1_000_000_000;
  private static final int NANOS_PER_MILLI = 1_000_000;

  /// No priority.
  static final int NONE = Integer.MIN_VALUE;

  String id = "";
  String namespace = "";
  String taskname = "";
  String application = "";
  boolean hasReceivedAt;
  long receivedSeconds;
  int receivedNanos;
  int attempts;
  int onAttemptsExceeded;
  boolean atMostOnce;
  long deadlineDuration;
  boolean hasExpires;
  long expires;
  boolean hasDelay;
  long delay;
  int priority;

  /// Priority of the header; [#NONE] if there is none.
  int headerPriority = NONE;

  /// Why a well-formed message cannot be stored (H12); null if it can.
  @Nullable String flaw() {
    if (id.isEmpty()) {
      return "the id is empty";
    }
    String flaw = flaw("id", id, ActivationDecoder.MAX_ID_BYTES);
    flaw = flaw != null ? flaw : flaw("namespace", namespace, ActivationDecoder.MAX_NAME_BYTES);
    flaw = flaw != null ? flaw : flaw("taskname", taskname, ActivationDecoder.MAX_NAME_BYTES);
    return flaw != null ? flaw : flaw("application", application, ActivationDecoder.MAX_NAME_BYTES);
  }

  private static @Nullable String flaw(String field, String text, int maxBytes) {
    if (text.indexOf('\0') >= 0) {
      return "the " + field + " contains U+0000";
    }
    if (text.length() > maxBytes / 3 && text.getBytes(UTF_8).length > maxBytes) {
      return "the " + field + " has more than " + maxBytes + " bytes";
    }
    return null;
  }

  /// Priority of the header, if it has one; otherwise that of the field.
  byte priority() {
    return (byte) (headerPriority != NONE ? headerPriority : Priority.nearest(priority));
  }

  /// Milliseconds since the epoch, rounded down; `now` if the message has no valid time or one too
  /// far in the future.
  long receivedAt(long now) {
    return validReceivedAt() && aheadBy(now) == 0 ? receivedMillis() : now;
  }

  /// Lead of the publisher's clock in milliseconds; 0 if it is tolerated.
  long aheadBy(long now) {
    long ahead = validReceivedAt() ? receivedMillis() - now : 0;
    return ahead > MAX_AHEAD_MS ? ahead : 0;
  }

  private long receivedMillis() {
    return receivedSeconds * 1000 + receivedNanos / NANOS_PER_MILLI;
  }

  /// Whether the delay exceeds the maximum.
  boolean isDelayCut(long maxDelaySeconds) {
    return hasDelay && Long.compareUnsigned(delay, maxDelaySeconds) > 0;
  }

  /// Rounded down, so that nothing is delivered after its end (H21).
  long expiresAt(long now) {
    if (!hasExpires) {
      return Activation.NEVER;
    }
    return plusSeconds(receivedAt(now), expires);
  }

  /// Rounded up, so that nothing is delivered before its time (H21).
  long delayUntil(long now, long maxDelaySeconds) {
    if (!hasDelay) {
      return 0;
    }
    boolean fraction =
        validReceivedAt() && aheadBy(now) == 0 && receivedNanos % NANOS_PER_MILLI != 0;
    long seconds = isDelayCut(maxDelaySeconds) ? maxDelaySeconds : delay;
    return plusSeconds(receivedAt(now) + (fraction ? 1 : 0), seconds);
  }

  int deadlineSeconds() {
    return Long.compareUnsigned(deadlineDuration, Integer.MAX_VALUE) < 0
        ? (int) deadlineDuration
        : Integer.MAX_VALUE;
  }

  private boolean validReceivedAt() {
    return hasReceivedAt
        && receivedSeconds >= MIN_SECONDS
        && receivedSeconds <= MAX_SECONDS
        && receivedNanos >= 0
        && receivedNanos < NANOS_PER_SECOND;
  }

  /// @param seconds unsigned
  private static long plusSeconds(long millis, long seconds) {
    boolean beyond = Long.compareUnsigned(seconds, Long.MAX_VALUE / 1000) > 0;
    if (beyond || millis > Long.MAX_VALUE - seconds * 1000) {
      return Long.MAX_VALUE;
    }
    return millis + seconds * 1000;
  }
}
