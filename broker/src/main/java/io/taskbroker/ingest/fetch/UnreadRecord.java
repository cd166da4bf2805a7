package io.taskbroker.ingest.fetch;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/// Header of a record that replaces unread ones. No producer can forge it: its Java type identifies
/// it, not its key.
///
/// @param kind whether reading goes on after the record
/// @param reason one line for people: sizes and bounds, or how reading failed
public record UnreadRecord(Kind kind, String reason) implements Header {
  private static final String KEY = "taskbroker-flaw";
  private static final int MAX_REASON = 300;

  /// Effect on the records after it.
  public enum Kind {
    /// The record exceeds a bound; the records after it can be read.
    OVERSIZED,
    /// The record is damaged; the records after it cannot be read.
    UNREADABLE
  }

  public UnreadRecord {
    reason = reason.length() <= MAX_REASON ? reason : reason.substring(0, MAX_REASON) + "…";
  }

  static UnreadRecord oversized(String reason) {
    return new UnreadRecord(Kind.OVERSIZED, reason);
  }

  static UnreadRecord unreadable(String reason) {
    return new UnreadRecord(Kind.UNREADABLE, reason);
  }

  static UnreadRecord unreadable(Throwable failure) {
    String message = failure.getMessage();
    return unreadable(message == null ? failure.getClass().getSimpleName() : message);
  }

  /// The flaw of a record; null if it has none.
  public static @Nullable UnreadRecord of(ConsumerRecord<?, ?> message) {
    return message.headers().lastHeader(KEY) instanceof UnreadRecord flaw ? flaw : null;
  }

  @Override
  public String key() {
    return KEY;
  }

  @Override
  public byte[] value() {
    return reason.getBytes(StandardCharsets.UTF_8);
  }
}
