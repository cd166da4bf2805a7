package io.taskbroker.ingest.fetch;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/// The header of a record that stands for what was not read. No producer can make one: it is told
/// by its type, not by its key.
///
/// @param kind whether reading goes on behind the record
/// @param reason one line for people: sizes and bounds, or how reading failed
public record Flaw(Kind kind, String reason) implements Header {
  private static final String KEY = "taskbroker-flaw";
  private static final int MAX_REASON = 300;

  /// What becomes of the record.
  public enum Kind {
    /// Its content breaks a bound; what is behind it can be read.
    OVERSIZED,
    /// It is damaged, and hides what is behind it.
    UNREADABLE
  }

  public Flaw {
    reason = reason.length() <= MAX_REASON ? reason : reason.substring(0, MAX_REASON) + "…";
  }

  static Flaw oversized(String reason) {
    return new Flaw(Kind.OVERSIZED, reason);
  }

  static Flaw unreadable(String reason) {
    return new Flaw(Kind.UNREADABLE, reason);
  }

  static Flaw unreadable(Throwable failure) {
    String message = failure.getMessage();
    return unreadable(message == null ? failure.getClass().getSimpleName() : message);
  }

  /// The flaw of a record; null if it has none.
  public static @Nullable Flaw of(ConsumerRecord<?, ?> message) {
    return message.headers().lastHeader(KEY) instanceof Flaw flaw ? flaw : null;
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
