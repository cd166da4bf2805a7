package io.taskbroker.deadletter;

/// Why a dead letter was not replayed or discarded.
public enum SkipReason {
  REPLAYED_BEFORE("already replayed", false),
  DISCARDED_BEFORE("already discarded", false),
  COPY("a copy of a dead letter that is replayed or discarded", false),
  NO_TASK("no task: its payload does not decode as one", true),
  AT_MOST_ONCE("at most once, so it may have run: add --at-most-once to run it again", true),
  NO_TOPIC("its topic is unknown: name one by --to", true),
  UNDECLARED_TOPIC("its topic is not in kafka_topics: name one by --to", true),
  RAW_TOPIC("its topic holds raw messages, not tasks: name another by --to", true),
  OTHER_CLUSTER("its topic is on another cluster than the dead letters: name one by --to", true),
  MISSING_TOPIC("its topic does not exist", true),
  TOO_LARGE("Kafka refuses it as too large for the topic", true);

  private final String text;
  private final boolean unfinished;

  SkipReason(String text, boolean unfinished) {
    this.text = text;
    this.unfinished = unfinished;
  }

  public String text() {
    return text;
  }

  /// Whether the dead letter still waits for a decision.
  public boolean isUnfinished() {
    return unfinished;
  }
}
