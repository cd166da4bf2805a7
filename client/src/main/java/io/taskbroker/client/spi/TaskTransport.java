package io.taskbroker.client.spi;

import io.taskbroker.client.TaskState;
import io.taskbroker.protocol.v1.AwaitResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.GetResponse;
import io.taskbroker.protocol.v1.NewTask;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/// Transport of calls to a broker. Thread-safe.
///
/// Failed futures and calls carry a [io.taskbroker.client.TaskBrokerException].
public interface TaskTransport extends AutoCloseable {
  /// Outcome of a call.
  ///
  /// @param broker where the call is, for [#get], [#await] and [#cancel]; meaningful to the
  ///   transport alone
  record Enqueued(EnqueueResult result, String broker) {}

  /// Enqueues one call; the transport may join it with others in one request. The call has an id or
  /// an idempotency key.
  ///
  /// @param waits whether to wait for room when the client holds too many unanswered calls;
  ///   otherwise the future fails with [io.taskbroker.client.BrokerFullException]
  CompletableFuture<Enqueued> enqueue(NewTask call, boolean waits);

  /// @throws UnsupportedOperationException if the transport cannot ask
  GetResponse get(String broker, String id);

  /// @param timeout at most an hour
  /// @return without an outcome if the time passed
  /// @throws UnsupportedOperationException if the transport cannot ask
  AwaitResponse await(String broker, String id, Duration timeout);

  /// @throws UnsupportedOperationException if the transport cannot cancel
  TaskState cancel(String broker, String id);

  /// Sends what was accepted, then releases everything.
  @Override
  void close();
}
