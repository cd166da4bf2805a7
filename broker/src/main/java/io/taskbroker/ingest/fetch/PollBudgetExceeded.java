package io.taskbroker.ingest.fetch;

import org.apache.kafka.common.errors.SerializationException;

/// Signal that ends a poll before a record for which no memory is left. The consumer treats it as a
/// failed deserialization, which it retries in the next poll; it throws it only out of a poll
/// without any other record. It has no stack trace, since each large poll ends with it.
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
