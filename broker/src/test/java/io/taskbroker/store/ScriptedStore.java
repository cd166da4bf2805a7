package io.taskbroker.store;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Watermark;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Store without rows: follows a script and records its calls.
final class ScriptedStore implements ActivationStore {
  /// All commit attempts, with a copy of their changes.
  final List<WriteBatch> attempts = new CopyOnWriteArrayList<>();

  /// Committed changes, in order; a repeated batch counts once (H6).
  final List<Change> committed = new CopyOnWriteArrayList<>();

  final List<Long> maintained = new CopyOnWriteArrayList<>();

  /// Scripted actions of the next commits, one each, before they commit; they may throw.
  final Queue<Consumer<WriteBatch>> script = new ConcurrentLinkedQueue<>();

  /// Action of every commit before it commits, except for repeated batches (H6).
  volatile Consumer<WriteBatch> always = _ -> {};

  /// Action at the start of every read and every maintenance.
  volatile Runnable beforeDue = () -> {};

  volatile Runnable beforeMaintain = () -> {};

  /// Whether a commit that reports a transient failure commits nevertheless.
  volatile boolean commitsDespiteFailure;

  private final BlockingQueue<WriteBatch> begun = new LinkedBlockingQueue<>();
  private final AtomicReference<@Nullable Thread> caller = new AtomicReference<>();
  private volatile @Nullable Semaphore gate;
  private long lastNumber;

  static StoreException failure(StoreException.Kind kind) {
    return new StoreException(kind, "scripted: " + kind, null);
  }

  static Consumer<WriteBatch> failing(StoreException.Kind kind) {
    return _ -> {
      throw failure(kind);
    };
  }

  /// Blocks every commit from now on until a [#release].
  void hold() {
    gate = new Semaphore(0);
  }

  void release(int commits) {
    requireNonNull(gate).release(commits);
  }

  /// The next commit that starts.
  WriteBatch begun() throws InterruptedException {
    WriteBatch batch = begun.poll(60, TimeUnit.SECONDS);
    assertThat(batch).as("a commit").isNotNull();
    return batch;
  }

  @Override
  public List<ChangeOutcome> commit(WriteBatch batch) {
    calledByOne();
    WriteBatch copy = new WriteBatch(batch.number(), List.copyOf(batch.changes()));
    attempts.add(copy);
    begun.add(copy);
    Semaphore semaphore = gate;
    if (semaphore != null) {
      semaphore.acquireUninterruptibly();
    }
    try {
      Consumer<WriteBatch> scripted = script.poll();
      if (scripted != null) {
        scripted.accept(copy);
      }
      if (copy.number() != lastNumber) {
        always.accept(copy);
      }
    } catch (StoreException e) {
      if (e.kind() == StoreException.Kind.TRANSIENT && commitsDespiteFailure) {
        apply(copy);
      }
      throw e;
    }
    apply(copy);
    return Collections.nCopies(copy.changes().size(), ChangeOutcome.APPLIED);
  }

  private void apply(WriteBatch batch) {
    if (batch.number() != lastNumber) {
      assertThat(batch.number()).isGreaterThan(lastNumber);
      lastNumber = batch.number();
      committed.addAll(batch.changes());
    }
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    calledByOne();
    beforeDue.run();
    return new ParkedPage(List.of(), committed.size());
  }

  @Override
  public List<Row> rows(List<Long> keys) {
    return List.of();
  }

  @Override
  public void maintain(long now) {
    calledByOne();
    maintained.add(now);
    beforeMaintain.run();
  }

  private void calledByOne() {
    Thread thread = Thread.currentThread();
    if (!caller.compareAndSet(null, thread)) {
      assertThat(caller).hasValue(thread);
    }
  }

  @Override
  public String name() {
    return "scripted";
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
  public long size() {
    return 0;
  }

  @Override
  public void close() {
    throw new AssertionError("The committer closed a store that is not its own");
  }
}
