package io.taskbroker.client;

/// Back-pressure: the call was **not** enqueued, because the client holds as many unanswered calls
/// as it may, or the broker was at its limits for the whole [enqueue
/// timeout][TaskClient.Builder#enqueueTimeout]. Enqueue again later, or produce more slowly.
public final class BrokerFullException extends TaskBrokerException {
  private static final long serialVersionUID = 1;

  public BrokerFullException(String message) {
    super(message, null);
  }
}
