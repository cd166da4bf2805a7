package io.taskbroker.store;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreCommitter.Listener;
import io.taskbroker.store.StoreException.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Unanswered queries of a [StoreCommitter]. A query that the store fails to answer stays for the
/// next attempt. Confined to the committer's thread.
final class StoreCommitterQueries {
  private static final Logger log = LoggerFactory.getLogger(StoreCommitterQueries.class);

  private final ActivationStore store;
  private final Listener listener;
  private final Runnable answered;
  private final int batchSize;
  private final List<ParkedQuery> parked = new ArrayList<>();
  private final ArrayDeque<StoreQuery.Rows> rows = new ArrayDeque<>();
  private final ArrayDeque<StoreQuery.ForwardReports> reports = new ArrayDeque<>();
  private final ArrayDeque<StoreQuery.ReadRemoteReports> reportReads = new ArrayDeque<>();
  private final ArrayDeque<StoreQuery.ReadFinished> finished = new ArrayDeque<>();
  private final ArrayDeque<StoreQuery.Schedules<?>> schedules = new ArrayDeque<>();
  private final ArrayDeque<StoreQuery.Barrier> barriers = new ArrayDeque<>();

  /// @param batchSize about how many reports go into one call of the store
  /// @param answered runs after each answer
  StoreCommitterQueries(
      ActivationStore store, Listener listener, int batchSize, Runnable answered) {
    this.store = store;
    this.listener = listener;
    this.batchSize = batchSize;
    this.answered = answered;
  }

  void add(StoreQuery query) {
    switch (query) {
      case ParkedQuery rows -> parked.add(rows);
      case StoreQuery.Rows keys -> rows.addLast(keys);
      case StoreQuery.ForwardReports forward -> reports.addLast(forward);
      case StoreQuery.ReadRemoteReports keys -> reportReads.addLast(keys);
      case StoreQuery.ReadFinished read -> finished.addLast(read);
      case StoreQuery.Schedules<?> work -> schedules.addLast(work);
      case StoreQuery.Barrier barrier -> barriers.addLast(barrier);
    }
  }

  boolean isEmpty() {
    return parked.isEmpty()
        && rows.isEmpty()
        && reports.isEmpty()
        && reportReads.isEmpty()
        && finished.isEmpty()
        && schedules.isEmpty()
        && barriers.isEmpty();
  }

  /// Answers what it can; only changes that `backlog` holds are uncommitted.
  ///
  /// @param hasSpace whether the store may have space for reports
  /// @return false if it has none
  boolean answer(StoreCommitterBacklog backlog, boolean hasSpace) {
    answerParked(backlog);
    answerRows();
    answerReportReads();
    answerFinished();
    for (var next = schedules.poll(); next != null; next = schedules.poll()) {
      answered.run();
      next.answer(store);
    }
    if (!backlog.holds()) {
      for (var next = barriers.poll(); next != null; next = barriers.poll()) {
        answered.run();
        listener.barrierPassed(next);
      }
    }
    return !hasSpace || reports.isEmpty() || forwardReports();
  }

  private void answerParked(StoreCommitterBacklog backlog) {
    Iterator<ParkedQuery> left = parked.iterator();
    while (left.hasNext()) {
      ParkedQuery query = left.next();
      ParkedPage page = backlog.completeRows(query, store.due(query));
      if (page != null) {
        left.remove();
        answered.run();
        listener.parkedRead(query, page);
      }
    }
  }

  private void answerRows() {
    for (var next = rows.peek(); next != null; next = rows.peek()) {
      List<Row> found = store.rows(next.keys());
      rows.remove();
      answered.run();
      listener.rowsRead(next, found);
    }
  }

  private void answerReportReads() {
    for (var next = reportReads.peek(); next != null; next = reportReads.peek()) {
      List<RemoteReport> found = store.reports(next.keys());
      reportReads.remove();
      answered.run();
      listener.reportsRead(next, found);
    }
  }

  private void answerFinished() {
    for (var next = finished.peek(); next != null; next = finished.peek()) {
      Optional<FinishedTask> found = finished(next.id());
      finished.remove();
      answered.run();
      listener.finishedRead(next, found);
    }
  }

  /// The record of a task; empty for an id that the store cannot hold: it has no such record (H12).
  private Optional<FinishedTask> finished(String id) {
    try {
      return store.finished(id);
    } catch (StoreException e) {
      if (e.kind() != Kind.DATA) {
        throw e;
      }
      return Optional.empty();
    }
  }

  private boolean forwardReports() {
    while (!reports.isEmpty()) {
      List<RemoteReport> batch = new ArrayList<>();
      int queries = 0;
      for (StoreQuery.ForwardReports each : reports) {
        if (batch.size() >= batchSize) {
          break;
        }
        batch.addAll(each.reports());
        queries++;
      }
      List<Boolean> known;
      try {
        known = report(batch);
      } catch (StoreException e) {
        if (e.kind() != Kind.FULL) {
          throw e;
        }
        log.warn("The store is full; {} reports wait for space: {}", batch.size(), e.getMessage());
        return false;
      }
      int from = 0;
      for (int i = 0; i < queries; i++) {
        StoreQuery.ForwardReports query = reports.remove();
        int to = from + query.reports().size();
        answered.run();
        listener.reportsForwarded(query, List.copyOf(known.subList(from, to)));
        from = to;
      }
    }
    return true;
  }

  /// Isolates reports with ids that the store cannot hold: it has no row with such an id (H12).
  private List<Boolean> report(List<RemoteReport> batch) {
    try {
      return store.report(batch);
    } catch (StoreException e) {
      if (e.kind() != Kind.DATA) {
        throw e;
      }
      if (batch.size() == 1) {
        log.atWarn()
            .addKeyValue("task_id", batch.getFirst().id())
            .log("The store cannot hold the id of a report, which is ignored: {}", e.getMessage());
        return List.of(false);
      }
      int middle = batch.size() / 2;
      List<Boolean> known = new ArrayList<>(report(batch.subList(0, middle)));
      known.addAll(report(batch.subList(middle, batch.size())));
      return known;
    }
  }
}
