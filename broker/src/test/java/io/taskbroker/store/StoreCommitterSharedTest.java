package io.taskbroker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Committer of brokers that share a store: reports fenced changes and forwards reports (H3, H10).
@Timeout(240)
final class StoreCommitterSharedTest {
  private static final SourcePartition OURS = new SourcePartition("c", "g", "t-uuid", "t", 0);
  private static final SourcePartition LOST = new SourcePartition("c", "g", "t-uuid", "t", 1);

  private final Store store = new Store();
  private final RecordedAnswers answers = new RecordedAnswers();
  private final StoreCommitter committer =
      new StoreCommitter(
          store,
          CommitOptions.defaults(),
          answers,
          (stage, cause) -> {
            throw new AssertionError(stage, cause);
          });

  @BeforeEach
  void start() {
    committer.start();
  }

  @AfterEach
  void stop() {
    committer.stop();
  }

  @Test
  void h10FencedChangesAreReportedSeparately() {
    Change ours = new Change.AdvanceWatermark(OURS, 5, null);
    Change lost = new Change.AdvanceWatermark(LOST, 7, null);
    committer.submit(List.of(lost, ours), List.of(new StoreQuery.Barrier("b")));
    await().until(() -> !answers.passed.isEmpty());
    assertThat(answers.committed).containsExactly(ours);
    assertThat(answers.fenced).containsExactly(lost);
  }

  @Test
  void h10FullyFencedBatchReportsNoCommit() {
    committer.submit(
        List.of(new Change.AdvanceWatermark(LOST, 7, null)), List.of(new StoreQuery.Barrier("b")));
    await().until(() -> !answers.passed.isEmpty());
    assertThat(answers.groups).isEmpty();
    assertThat(answers.fenced).hasSize(1);
  }

  @Test
  void h03WaitingReportsShareOneCallAndAreAnsweredEach() {
    committer.submit(List.of(), List.of(passOn("first", "known"), passOn("second", "other")));
    await().until(() -> answers.answers.size() == 2);
    assertThat(answers.answers).containsExactly("first [true]", "second [false]");
    assertThat(store.calls).hasSize(1);
  }

  @Test
  void h03ReportsAreRetriedWhenTheStoreIsUnavailable() {
    store.failures.add(new StoreException(Kind.TRANSIENT, "away", null));
    store.failures.add(new StoreException(Kind.FULL, "full", null));
    committer.submit(List.of(), List.of(passOn("first", "known")));
    await().until(() -> answers.answers.size() == 1);
    assertThat(answers.answers).containsExactly("first [true]");
    assertThat(store.calls).hasSize(3);
  }

  @Test
  void h12ReportThatTheStoreCannotHoldIsUnknown() {
    committer.submit(
        List.of(), List.of(passOn("first", "known"), passOn("bad", "\0"), passOn("last", "known")));
    await().until(() -> answers.answers.size() == 3);
    assertThat(answers.answers).containsExactly("first [true]", "bad [false]", "last [true]");
  }

  @Test
  void h03StoredReportsAreRead() {
    committer.submit(
        List.of(), List.of(new StoreQuery.ReadRemoteReports(List.of(3L, 4L), "owner")));
    await().until(() -> answers.answers.size() == 1);
    assertThat(answers.answers).containsExactly("owner 2");
  }

  @Test
  void g2RowsAreReadByKeyAndRetriedWhenTheStoreIsUnavailable() {
    store.failures.add(new StoreException(Kind.TRANSIENT, "away", null));
    committer.submit(List.of(), List.of(new StoreQuery.Rows(List.of(3L, 4L), "owner")));
    await().until(() -> answers.answers.size() == 1);
    assertThat(answers.answers).containsExactly("owner rows []");
    assertThat(store.failures).isEmpty();
  }

  @Test
  void h12RecordOfAnIdThatTheStoreCannotHoldIsUnknown() {
    committer.submit(
        List.of(),
        List.of(
            new StoreQuery.ReadFinished("\0", "bad"), new StoreQuery.ReadFinished("a", "good")));
    await().until(() -> answers.answers.size() == 2);
    assertThat(answers.answers).containsExactly("bad Optional.empty", "good Optional.empty");
  }

  private static StoreQuery.ForwardReports passOn(String owner, String id) {
    return new StoreQuery.ForwardReports(
        List.of(new RemoteReport(Row.NONE, id, Status.COMPLETE, -1, -1)), owner);
  }

  /// Store that owns one partition and has a row with the id "known".
  private static final class Store extends EmptyStore {
    final List<StoreException> failures = new CopyOnWriteArrayList<>();
    final List<List<RemoteReport>> calls = new CopyOnWriteArrayList<>();

    @Override
    public List<ChangeOutcome> commit(WriteBatch batch) {
      return batch.changes().stream()
          .map(change ->
              change instanceof Change.AdvanceWatermark consumed
                      && consumed.partition().equals(LOST)
                  ? ChangeOutcome.FENCED
                  : ChangeOutcome.APPLIED)
          .toList();
    }

    @Override
    public List<Boolean> report(List<RemoteReport> reports) {
      calls.add(List.copyOf(reports));
      if (!failures.isEmpty()) {
        throw failures.removeFirst();
      }
      if (reports.stream().anyMatch(report -> report.id().contains("\0"))) {
        throw new StoreException(Kind.DATA, "no such text", null);
      }
      return reports.stream().map(report -> report.id().equals("known")).toList();
    }

    @Override
    public List<Row> rows(List<Long> keys) {
      if (!failures.isEmpty()) {
        throw failures.removeFirst();
      }
      return List.of();
    }

    @Override
    public List<RemoteReport> reports(List<Long> keys) {
      return keys.stream()
          .map(key -> new RemoteReport(key, "x" + key, Status.COMPLETE, -1, -1))
          .toList();
    }

    @Override
    public Optional<FinishedTask> finished(String id) {
      if (id.contains("\0")) {
        throw new StoreException(Kind.DATA, "no such text", null);
      }
      return Optional.empty();
    }
  }

  /// Empty store.
  private abstract static class EmptyStore implements ActivationStore {
    @Override
    public String name() {
      return "empty";
    }

    @Override
    public long lastKey() {
      return 0;
    }

    @Override
    public List<Row> load(long key, int limit) {
      return List.of();
    }

    @Override
    public List<ParkedRow> loadParked(long key, int limit) {
      return List.of();
    }

    @Override
    public List<Watermark> watermarks() {
      return List.of();
    }

    @Override
    public List<Tombstone> tombstones(long now) {
      return List.of();
    }

    @Override
    public List<Row> rows(List<Long> keys) {
      return List.of();
    }

    @Override
    public ParkedPage due(ParkedQuery query) {
      return new ParkedPage(List.of(), Row.NONE);
    }

    @Override
    public long size() {
      return 0;
    }

    @Override
    public void maintain(long now) {}

    @Override
    public void close() {}
  }

  private static final class RecordedAnswers implements StoreCommitter.Listener {
    final List<Change> committed = new CopyOnWriteArrayList<>();
    final List<Change> fenced = new CopyOnWriteArrayList<>();
    final List<String> answers = new CopyOnWriteArrayList<>();
    final List<StoreQuery.Barrier> passed = new CopyOnWriteArrayList<>();
    final List<Integer> groups = new CopyOnWriteArrayList<>();

    @Override
    public void committed(List<Change> changes, List<ChangeOutcome> outcomes) {
      groups.add(changes.size());
      committed.addAll(changes);
    }

    @Override
    public void fenced(List<Change> changes) {
      fenced.addAll(new ArrayList<>(changes));
    }

    @Override
    public Optional<Change.Insert> replacement(RejectedInsert refusal) {
      return Optional.empty();
    }

    @Override
    public void rejected(Change change, String why) {}

    @Override
    public void parkedRead(ParkedQuery query, ParkedPage page) {}

    @Override
    public void reportsForwarded(StoreQuery.ForwardReports query, List<Boolean> known) {
      answers.add(query.owner() + " " + known);
    }

    @Override
    public void rowsRead(StoreQuery.Rows query, List<Row> rows) {
      answers.add(query.owner() + " rows " + rows);
    }

    @Override
    public void reportsRead(StoreQuery.ReadRemoteReports query, List<RemoteReport> reports) {
      answers.add(query.owner() + " " + reports.size());
    }

    @Override
    public void finishedRead(StoreQuery.ReadFinished query, Optional<FinishedTask> found) {
      answers.add(query.owner() + " " + found);
    }

    @Override
    public void barrierPassed(StoreQuery.Barrier barrier) {
      passed.add(barrier);
    }
  }
}
