package io.taskbroker.runtime;

import java.util.Locale;

/// Fault of a stage that an operator should know of: its kind, place and reason.
///
/// @param stage name of the stage, topic or file that it concerns; bounded in number
/// @param reason one line, without secrets
public record Condition(Kind kind, String stage, String reason) {
  /// Class of condition. Its label is stable: it is the name in health answers, in the metric
  /// `health.conditions` and in docs/health.md.
  public enum Kind {
    STARTING("Wait; the log says what the start waits for."),
    STAGE_STUCK(
        "Repair what the log lines of this stage name; if there are none, take a thread"
            + " dump (jcmd PID Thread.print) and restart the broker."),
    STAGE_BLOCKED("Correct what the reason names; the broker retries by itself."),
    STORE_UNAVAILABLE(
        "Bring the store back: start Postgres, or end the process that locks the"
            + " file; the broker retries the same transaction until it is committed."),
    STORE_FULL("Free space on the disk of the store; deletes continue, intake waits."),
    KAFKA_UNREACHABLE("Start Kafka or correct its address; tasks in flight continue."),
    TOPIC_UNREADABLE("Correct what the reason names at Kafka or in kafka_topics."),
    PARTITION_UNREADABLE(
        "Restore the record from a replica, or give it up: delete the records up to the one after"
            + " that offset (kafka-delete-records.sh)."),
    TRANSACTION_OPEN(
        "Let the producer end its transaction. If it is gone, find the transaction"
            + " (kafka-transactions.sh find-hanging) and abort it."),
    TOPIC_UNWRITABLE("Create or correct the topic that the reason names."),
    CLOCK_STEPPED(
        "Check NTP on this machine; delays and expiries follow the new time. The"
            + " condition ends ten minutes after the last step."),
    CERTIFICATE_EXPIRED("Replace the file by a renewed certificate; no restart is needed."),
    CERTIFICATE_EXPIRES_SOON("Renew the certificate within seven days; no restart is needed.");

    private final String action;

    Kind(String action) {
      this.action = action;
    }

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /// What to do, in one or two sentences.
    public String action() {
      return action;
    }
  }
}
