package io.taskbroker;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.deliver.PushClient;
import io.taskbroker.engine.EngineCounts;
import io.taskbroker.engine.NoticeLog;
import io.taskbroker.engine.Outlets;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.Notice;
import io.taskbroker.inflight.OutboxRecord;
import io.taskbroker.inflight.Tally;
import io.taskbroker.inflight.TaskLifecycle;
import io.taskbroker.ingest.Ingest;
import io.taskbroker.outbox.Outbox;
import io.taskbroker.store.StoreCommitter;
import io.taskbroker.store.StoreQuery;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Outlets to the real stages, none of which blocks the engine (H14). Called by the engine's
/// thread.
record Stages(
    StoreCommitter committer,
    Outbox outbox,
    PushClient pushClient,
    Ingest ingest,
    NoticeLog notices,
    EngineCounts counts)
    implements Outlets {
  @Override
  public void commit(List<Change> changes, List<StoreQuery> queries) {
    committer.submit(changes, queries);
  }

  @Override
  public void push(Delivery delivery) {
    pushClient.push(delivery);
  }

  @Override
  public void produce(OutboxRecord record) {
    outbox.produce(record);
  }

  @Override
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    ingest.consumed(partition, nextOffset, records, bytes, urgent);
  }

  @Override
  public void stands(SourcePartition partition, @Nullable String application) {
    ingest.stands(partition, application);
  }

  @Override
  public void drained(SourcePartition partition) {
    ingest.drained(partition);
  }

  @Override
  public void lost(SourcePartition partition) {
    ingest.lost(partition);
  }

  @Override
  public void unexpected(Change change, ChangeOutcome outcome) {
    counts.unexpected(change, outcome);
    notices.unexpected(change, outcome);
  }

  @Override
  public void count(Tally tally, Activation activation, long age) {
    counts.count(tally, activation, age);
  }

  @Override
  public boolean follows() {
    return notices.follows();
  }

  @Override
  public void follow(TaskLifecycle step, Activation activation, String detail) {
    notices.follow(step, activation, detail);
  }

  @Override
  public void notice(Notice notice, Activation about, String detail) {
    counts.notice(notice);
    notices.notice(notice, about, detail);
  }

  @Override
  public void notice(Notice notice, String id, String detail) {
    counts.notice(notice, id);
    notices.notice(notice, id, detail);
  }
}
