package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.Notice;
import io.taskbroker.inflight.OutboxRecord;
import io.taskbroker.inflight.Tally;
import io.taskbroker.inflight.TaskLifecycle;
import io.taskbroker.store.StoreQuery;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Receiver of the engine's effects, implemented by the stages. Called by the engine's thread; no
/// method blocks.
public interface Outlets {
  /// Makes changes durable, then answers the queries. The receiver owns the lists from now on.
  void commit(List<Change> changes, List<StoreQuery> queries);

  void push(Delivery delivery);

  void produce(OutboxRecord outboxRecord);

  void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent);

  /// As [io.taskbroker.inflight.Effects#stands]: the partition waits for room for the application;
  /// null ends that.
  default void stands(SourcePartition partition, @Nullable String application) {}

  void drained(SourcePartition partition);

  /// The store fenced the partition: this broker no longer owns it.
  default void lost(SourcePartition partition) {}

  /// As [io.taskbroker.inflight.Effects#unexpected].
  void unexpected(Change change, ChangeOutcome outcome);

  default void count(Tally tally, Activation activation, long age) {}

  /// As [io.taskbroker.inflight.Effects#follows].
  default boolean follows() {
    return false;
  }

  default void follow(TaskLifecycle step, Activation activation, String detail) {}

  default void notice(Notice notice, Activation about, String detail) {
    notice(notice, about.id(), detail);
  }

  void notice(Notice notice, String id, String detail);
}
