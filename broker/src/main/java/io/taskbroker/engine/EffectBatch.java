package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.AttemptToken;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.Effects;
import io.taskbroker.inflight.EnqueueOutcome;
import io.taskbroker.inflight.Notice;
import io.taskbroker.inflight.OutboxRecord;
import io.taskbroker.inflight.Tally;
import io.taskbroker.inflight.TaskLifecycle;
import io.taskbroker.inflight.WorkerSession;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreQuery;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Effects of one round. Changes and queries are collected and handed over together at the end of
/// the round, queries behind the changes made before them (H15); all other effects pass through at
/// once. Confined to the engine's thread.
final class EffectBatch implements Effects {
  private final Outlets outlets;

  private List<Change> changes = new ArrayList<>();
  private List<StoreQuery> queries = new ArrayList<>();

  EffectBatch(Outlets outlets) {
    this.outlets = outlets;
  }

  /// Ends a round: hands over the collected changes and queries, if any.
  void flush() {
    if (!changes.isEmpty() || !queries.isEmpty()) {
      List<Change> made = changes;
      List<StoreQuery> asked = queries;
      changes = new ArrayList<>(made.size() + 16);
      queries = new ArrayList<>();
      outlets.commit(made, asked);
    }
  }

  @Override
  public void write(Change change) {
    changes.add(change);
  }

  @Override
  public void readParked(String application, long afterDue, long afterKey, long upTo, int limit) {
    queries.add(new ParkedQuery(application, afterDue, afterKey, upTo, limit));
  }

  @Override
  public void readRows(List<Long> keys, Object owner) {
    queries.add(new StoreQuery.Rows(keys, owner));
  }

  @Override
  public void forwardReports(List<RemoteReport> reports, Object owner) {
    queries.add(new StoreQuery.ForwardReports(reports, owner));
  }

  @Override
  public void readReports(List<Long> keys, Object owner) {
    queries.add(new StoreQuery.ReadRemoteReports(keys, owner));
  }

  @Override
  public void barrier(Object owner) {
    queries.add(new StoreQuery.Barrier(owner));
  }

  @Override
  public void push(Delivery delivery) {
    outlets.push(delivery);
  }

  @Override
  public void produce(OutboxRecord outboxRecord) {
    outlets.produce(outboxRecord);
  }

  @Override
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    outlets.consumed(partition, nextOffset, records, bytes, urgent);
  }

  @Override
  public void stands(SourcePartition partition, @Nullable String application) {
    outlets.stands(partition, application);
  }

  @Override
  public void drained(SourcePartition partition) {
    outlets.drained(partition);
  }

  @Override
  public void lost(SourcePartition partition) {
    outlets.lost(partition);
  }

  @Override
  public void reply(Command.ReportReply reply, @Nullable Delivery next) {
    reply.done(next);
  }

  @Override
  public void reply(Command.ClaimReply reply, @Nullable Delivery delivery) {
    reply.done(delivery);
  }

  @Override
  public void reply(Command.EnqueueReply reply, List<EnqueueOutcome> outcomes) {
    reply.done(outcomes);
  }

  @Override
  public void deliver(WorkerSession session, Delivery delivery) {
    session.deliver(delivery);
  }

  @Override
  public void cancel(WorkerSession session, String id, AttemptToken token, boolean requested) {
    session.cancel(id, token, requested);
  }

  @Override
  public void count(Tally tally, Activation activation, long age) {
    outlets.count(tally, activation, age);
  }

  @Override
  public boolean follows() {
    return outlets.follows();
  }

  @Override
  public void follow(TaskLifecycle step, Activation activation, String detail) {
    outlets.follow(step, activation, detail);
  }

  @Override
  public void notice(Notice notice, Activation about, String detail) {
    outlets.notice(notice, about, detail);
  }

  @Override
  public void notice(Notice notice, String id, String detail) {
    outlets.notice(notice, id, detail);
  }
}
