package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Durable store in memory: committed changes survive a crash of the rig, others do not. Commits in
/// order, as many changes at a time as the test says.
final class RigStore {
  private final TreeMap<Long, Row> rows = new TreeMap<>();
  private final Map<SourcePartition, Watermark> watermarks = new HashMap<>();
  private final Map<Fingerprint, Long> tombstones = new LinkedHashMap<>();
  private final ArrayDeque<Work> waiting = new ArrayDeque<>();

  /// Records of finished tasks, by id.
  final Map<String, FinishedTask> finished = new HashMap<>();

  /// All committed changes, and the changes of missing rows.
  final List<Change> history = new ArrayList<>();

  final List<Change> missed = new ArrayList<>();

  /// Rows whose delete was written since the start, and the last row of each id.
  private final Set<Long> ended = new HashSet<>();

  private final Map<String, Long> keys = new HashMap<>();

  /// Activations that the store cannot hold.
  Predicate<Activation> refuses = _ -> false;

  /// Which slots another broker has fired before.
  Predicate<Change.Fire> supersedes = _ -> false;

  private static final String REFUSED = "it holds what cannot be held";
  private static final Comparator<Row> BY_DUE =
      Comparator.<Row>comparingLong(Row::parkedUntil).thenComparingLong(Row::key);

  private long lastKey;

  /// Number of requested pages.
  int reads;

  /// One change or one read, in the order of the requests.
  private sealed interface Work {
    record Write(Change change) implements Work {}

    record Read(
        String application, int priority, long afterDue, long afterKey, long upTo, int limit)
        implements Work {}

    record ReadRows(List<Long> keys, Object owner) implements Work {}

    record ReadFinished(String id, Object owner) implements Work {}

    record Barrier(Object owner) implements Work {}
  }

  /// Accepts a change if it is valid after the earlier ones: nothing follows a row's delete, and no
  /// row is inserted before the delete of another row of its id is durable (H20).
  void write(Change change) {
    switch (change) {
      case Change.Insert insert -> begin(insert.row());
      case Change.Fire fire -> begin(fire.row());
      case Change.UpdateStatus update -> follow(update, update.key());
      case Change.ConfirmOffset confirm -> follow(confirm, confirm.key());
      case Change.ChangeDelay delay -> follow(delay, delay.key());
      case Change.ChangePriority priority -> follow(priority, priority.key());
      case Change.Forward forward -> follow(forward, forward.key());
      case Change.Retry retry -> follow(retry, retry.key());
      case Change.Delete delete -> {
        follow(delete, delete.key());
        ended.add(delete.key());
      }
      case Change.AdvanceWatermark _, Change.OffsetCommitted _ -> {}
    }
    waiting.add(new Work.Write(change));
  }

  private void begin(Row row) {
    Long before = keys.put(row.activation().id(), row.key());
    if (row.key() <= lastKey) {
      throw new AssertionError("Key used before: " + row);
    }
    if (before != null && !isGone(before)) {
      throw new AssertionError("Row " + before + " of the same id still exists: " + row);
    }
  }

  /// Whether no row of that key exists, on disk or pending.
  private boolean isGone(long key) {
    return !rows.containsKey(key)
        && uncommitted().stream()
            .noneMatch(change ->
                (change instanceof Change.Insert(Row row, _) && row.key() == key)
                    || (change instanceof Change.Fire fire && fire.key() == key)
                    || (change instanceof Change.Delete delete && delete.key() == key));
  }

  private void follow(Change change, long key) {
    if (ended.contains(key)) {
      throw new AssertionError("Change after the delete of its row: " + change);
    }
  }

  void read(String application, int priority, long afterDue, long afterKey, long upTo, int limit) {
    reads++;
    waiting.add(new Work.Read(application, priority, afterDue, afterKey, upTo, limit));
  }

  void read(List<Long> keys, Object owner) {
    waiting.add(new Work.ReadRows(List.copyOf(keys), owner));
  }

  void readFinished(String id, Object owner) {
    waiting.add(new Work.ReadFinished(id, owner));
  }

  void barrier(Object owner) {
    waiting.add(new Work.Barrier(owner));
  }

  /// Drops everything that is not committed.
  void crash() {
    waiting.clear();
    ended.clear();
    keys.clear();
    rows.values().forEach(row -> keys.put(row.activation().id(), row.key()));
  }

  /// The key of the last row of that id, durable or not; [Row#NONE] if there is none.
  long keyOf(String id) {
    return keys.getOrDefault(id, Row.NONE);
  }

  /// The durable row of that key.
  @Nullable Row row(long key) {
    return rows.get(key);
  }

  boolean isIdle() {
    return waiting.isEmpty();
  }

  /// Changes that are written but not committed.
  List<Change> uncommitted() {
    return waiting.stream()
        .filter(Work.Write.class::isInstance)
        .map(work -> ((Work.Write) work).change())
        .toList();
  }

  /// Commits up to `most` pending changes in one transaction, and answers the reads behind them.
  List<Command> commit(int most) {
    List<Change> committed = new ArrayList<>();
    List<ChangeOutcome> outcomes = new ArrayList<>();
    List<Command> answers = new ArrayList<>();
    while (committed.size() < most && waiting.peek() instanceof Work.Write(Change change)) {
      waiting.remove();
      Change stored = change;
      if (change instanceof Change.Insert insert && refuses.test(insert.row().activation())) {
        var replacement =
            new RejectedInsert(insert, REFUSED).replacement(RigOptions.DEAD_LETTER_TOPIC);
        if (replacement.isEmpty() || refuses.test(replacement.get().row().activation())) {
          answers.add(new Command.Rejected(change, REFUSED));
          continue;
        }
        stored = replacement.get();
      }
      outcomes.add(apply(stored));
      committed.add(stored);
    }
    if (!committed.isEmpty()) {
      answers.add(new Command.Committed(committed, outcomes));
    }
    while (!waiting.isEmpty() && !(waiting.peek() instanceof Work.Write)) {
      answers.add(
          switch (waiting.remove()) {
            case Work.Read read -> page(read);
            case Work.ReadRows(List<Long> read, Object owner) ->
                new Command.RowsRead(
                    read.stream().filter(rows::containsKey).map(rows::get).toList(), owner);
            case Work.ReadFinished(String id, Object owner) ->
                new Command.FinishedRead(asked(id), owner);
            case Work.Barrier(Object owner) -> new Command.BarrierPassed(owner);
            case Work.Write write -> throw new AssertionError("Not a read: " + write);
          });
    }
    return answers;
  }

  private ChangeOutcome apply(Change change) {
    history.add(change);
    return switch (change) {
      case Change.Insert(Row row, _) -> {
        lastKey = Math.max(lastKey, row.key());
        yield rows.putIfAbsent(row.key(), row) == null
            ? ChangeOutcome.APPLIED
            : ChangeOutcome.DUPLICATE;
      }
      case Change.Fire fire -> {
        if (supersedes.test(fire)) {
          yield ChangeOutcome.SUPERSEDED;
        }
        lastKey = Math.max(lastKey, fire.key());
        rows.put(fire.key(), fire.row());
        yield ChangeOutcome.APPLIED;
      }
      case Change.UpdateStatus update ->
          update(update, update.key(), update.id(), row -> withStatus(row, update));
      case Change.ConfirmOffset confirm ->
          update(confirm, confirm.key(), confirm.id(), RigStore::withCommit);
      case Change.ChangeDelay delay ->
          update(delay, delay.key(), delay.id(), row -> withDelay(row, delay));
      case Change.ChangePriority priority ->
          update(priority, priority.key(), priority.id(), row -> withPriority(row, priority));
      case Change.Forward forward ->
          update(forward, forward.key(), forward.id(), row -> withForward(row, forward));
      case Change.Retry retry ->
          update(retry, retry.key(), retry.id(), row -> withRetry(row, retry.row()));
      case Change.Delete delete -> {
        if (delete.tombstoneUntil() != Row.NONE) {
          tombstones.put(Ids.fingerprint(delete.id()), delete.tombstoneUntil());
        }
        if (rows.remove(delete.key()) == null) {
          missed.add(delete);
          yield ChangeOutcome.MISSING;
        }
        if (delete.finished() != null) {
          finished.put(delete.id(), delete.finished());
        }
        yield ChangeOutcome.APPLIED;
      }
      case Change.AdvanceWatermark(SourcePartition partition, long next, _, _) -> {
        watermarks.merge(
            partition,
            new Watermark(partition, next, Watermark.NONE),
            (old, _) -> new Watermark(partition, next, old.committed()));
        yield ChangeOutcome.APPLIED;
      }
      case Change.OffsetCommitted(SourcePartition partition, long committed, _) -> {
        watermarks.merge(
            partition,
            new Watermark(partition, committed, committed),
            (old, _) -> new Watermark(partition, old.next(), committed));
        yield ChangeOutcome.APPLIED;
      }
    };
  }

  private @Nullable FinishedTask asked(String id) {
    FinishedTask found = finished.get(id);
    return found != null && found.asked() ? found : null;
  }

  private ChangeOutcome update(Change change, long key, String id, UnaryOperator<Row> how) {
    Row row = rows.get(key);
    if (row == null) {
      missed.add(change);
      return ChangeOutcome.MISSING;
    }
    if (!row.activation().id().equals(id)) {
      throw new AssertionError(change + " does not match its row: " + row);
    }
    rows.put(key, how.apply(row));
    return ChangeOutcome.APPLIED;
  }

  private static Row withStatus(Row row, Change.UpdateStatus update) {
    return new Row(
        row.key(),
        row.activation(),
        update.status(),
        row.addedAt(),
        update.attempts(),
        update.claimExpiresAt(),
        update.processingDeadline(),
        update.deadlineExtended(),
        update.committed(),
        Row.NONE,
        row.forwardTo());
  }

  private static Row withDelay(Row row, Change.ChangeDelay by) {
    return new Row(
        row.key(),
        row.activation().withDelayUntil(by.delayUntil()),
        row.status(),
        row.addedAt(),
        row.attempts(),
        row.claimExpiresAt(),
        row.processingDeadline(),
        row.deadlineExtended(),
        row.committed(),
        Row.NONE,
        row.forwardTo());
  }

  private static Row withPriority(Row row, Change.ChangePriority by) {
    Activation activation = row.activation().withPriority(by.priority());
    return copy(row, activation, row.status(), row.committed(), by.parkedUntil(), row.forwardTo());
  }

  private static Row withCommit(Row row) {
    return copy(row, row.activation(), row.status(), true, row.parkedUntil(), row.forwardTo());
  }

  private static Row withRetry(Row row, Row retry) {
    return new Row(
        row.key(),
        retry.activation(),
        retry.status(),
        row.addedAt(),
        0,
        Row.NONE,
        Row.NONE,
        false,
        row.committed(),
        Row.NONE,
        null);
  }

  private static Row withForward(Row row, Change.Forward forward) {
    byte[] payload = forward.payload();
    Activation activation =
        payload == null ? row.activation() : row.activation().withPayload(payload);
    return copy(
        row, activation, forward.status(), row.committed(), Row.NONE, forward.destination());
  }

  private static Row copy(
      Row row,
      Activation activation,
      Status status,
      boolean committed,
      long parkedUntil,
      @Nullable Destination leaving) {
    return new Row(
        row.key(),
        activation,
        status,
        row.addedAt(),
        row.attempts(),
        row.claimExpiresAt(),
        row.processingDeadline(),
        row.deadlineExtended(),
        committed,
        parkedUntil,
        leaving);
  }

  private Command page(Work.Read read) {
    List<Row> parked =
        rows.values().stream()
            .filter(row -> row.parkedUntil() != Row.NONE)
            .filter(row -> row.activation().application().equals(read.application()))
            .filter(row -> row.activation().priority() == read.priority())
            .filter(row ->
                row.parkedUntil() > read.afterDue()
                    || (row.parkedUntil() == read.afterDue() && row.key() > read.afterKey()))
            .sorted(BY_DUE)
            .toList();
    List<Row> page =
        parked.stream()
            .filter(row -> row.parkedUntil() <= read.upTo())
            .limit(read.limit())
            .toList();
    long nextDue = page.size() < parked.size() ? parked.get(page.size()).parkedUntil() : Row.NONE;
    return new Command.ParkedRead(read.application(), read.priority(), page, nextDue, read.upTo());
  }

  /// Adds a row as a previous process left it.
  void put(Row row) {
    rows.put(row.key(), row);
    lastKey = Math.max(lastKey, row.key());
  }

  List<Row> rows() {
    return List.copyOf(rows.values());
  }

  Optional<Row> row(String id) {
    return rows.values().stream().filter(row -> row.activation().id().equals(id)).findFirst();
  }

  Map<Fingerprint, Long> tombstones() {
    return tombstones;
  }

  /// The watermark of a partition; an empty one if there is none.
  Watermark watermark(SourcePartition partition) {
    return watermarks.getOrDefault(
        partition, new Watermark(partition, Watermark.NONE, Watermark.NONE));
  }

  long lastKey() {
    return lastKey;
  }
}
