package io.taskbroker.ingest.fetch;

import org.apache.kafka.common.errors.SerializationException;

/// Ends a poll before a record for which there is no memory left. The consumer takes it for a
/// failure to deserialize, which it tries again with the next poll; it throws it only out of a poll
/// that has no other record. Without a stack trace: it is thrown at the end of each large poll.
public final class PollBudgetExceeded extends SerializationException {
  private static final long serialVersionUID = 1;

  PollBudgetExceeded() {
    super("No memory is left for another record in this poll");
  }

  @Override
  public Throwable fillInStackTrace() {
    return this;
  }
}
