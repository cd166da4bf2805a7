package io.taskbroker.audit;

import java.util.Locale;

/// Fate of a record of a topic.
public enum Outcome {
  /// At or above the watermark of the store: no broker has taken it.
  NOT_READ("not read yet"),
  /// In the store, waits for a worker.
  WAITING("in the store, waits for a worker"),
  /// In the store, a worker has it or may have it.
  WITH_WORKER("in the store, a worker has it"),
  /// In the store, on disk only.
  PARKED("in the store, parked on disk"),
  /// In the store, not due yet.
  DELAYED("in the store, delayed"),
  /// In the store, being produced to another topic.
  FORWARDING("in the store, being produced to another topic"),
  /// Its dead letter is in the dead-letter topic.
  DEAD_LETTERED("dead-lettered"),
  /// Its retry is in the retry topic.
  RETRIED("retried: its next attempt is in the retry topic"),
  /// It is in the topic of demoted tasks.
  FORWARDED("forwarded to the topic of demoted tasks"),
  /// An earlier record of the range has the same id.
  DUPLICATE("same id as an earlier record"),
  /// Read, and in none of these: completed, discarded by policy, switched off, or expired.
  ENDED("ended: completed, discarded, expired or switched off"),
  /// No record: the end of a transaction, an aborted one, or removed by compaction.
  NO_RECORD("no record at this offset"),
  /// Kafka does not retain the record any more: it ended, or was removed before it was read and a
  /// broker went on behind it.
  NOT_RETAINED("not retained by Kafka: ended, or removed before it was read"),
  /// Kafka does not retain it any more, and no broker had read it.
  EXPIRED_UNREAD("removed by Kafka's retention before it was read"),
  /// Committed in Kafka by this store, which lacks it: the store lost it.
  UNACCOUNTED("committed, but the store never had it"),
  /// The store that has read the partition is another one.
  UNKNOWN("read by another store, or by a broker that keeps no watermark");

  private final String text;

  Outcome(String text) {
    this.text = text;
  }

  public String text() {
    return text;
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// Whether the audit fails because of it.
  public boolean isLoss() {
    return this == EXPIRED_UNREAD || this == UNACCOUNTED;
  }

  /// Whether the topics that tasks end in may tell more.
  boolean isEnd() {
    return this == ENDED || this == NOT_RETAINED || this == UNKNOWN || this == UNACCOUNTED;
  }
}
