package io.taskbroker.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.ingest.DecoderWorkload;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Countable cost of a task, so that no change raises it unnoticed: the counts are the same on a
/// slow or busy machine. A bound is about ten percent above the value at the time it was set; raise
/// it only for a stated reason.
@Timeout(60)
final class CostTest {
  private static final int ROUND = 256;
  private static final int ROUNDS = 80;
  private static final int TASKS = ROUND * ROUNDS;

  @Test
  void decodingAllocatesLittleBeyondTheResult() {
    var workload = new DecoderWorkload();
    for (int i = 0; i < TASKS; i++) {
      assertThat(workload.decode().undecodable()).isNull();
    }
    long bytes = ThreadUsage.bytes();
    for (int i = 0; i < TASKS; i++) {
      var _ = workload.decode();
    }
    bytes = ThreadUsage.bytes() - bytes;

    assertThat(bytes / TASKS).as("bytes a record").isLessThanOrEqualTo(520);
  }

  @Test
  void theEngineAllocatesLittlePerTask() {
    var workload = new EngineWorkload();
    var running = new ArrayList<Delivery>();
    run(workload, running, ROUNDS);

    long bytes = run(workload, running, ROUNDS);

    assertThat(workload.replies()).isEqualTo(2L * TASKS);
    assertThat(bytes / TASKS).as("bytes a task").isLessThanOrEqualTo(800);
  }

  @Test
  void theEngineWritesTwoChangesPerTaskAndOnePerPoll() {
    var workload = new EngineWorkload();
    long before = workload.changes();

    run(workload, new ArrayList<>(), ROUNDS);

    assertThat(workload.consumed()).isEqualTo(TASKS);
    assertThat(workload.changes() - before).isEqualTo(2L * TASKS + ROUNDS);
  }

  @Test
  void allocationDoesNotGrowWithTheBacklog() {
    var alone = new EngineWorkload();
    run(alone, new ArrayList<>(), ROUNDS);
    long little = run(alone, new ArrayList<>(), ROUNDS);
    var workload = new EngineWorkload();
    var others = new ArrayList<Delivery>();
    for (int i = 0; i < 100_000; i += ROUND) {
      workload.arrive(workload.records(ROUND, 0), others);
    }

    long bytes = run(workload, new ArrayList<>(), ROUNDS);

    assertThat(others).hasSizeGreaterThanOrEqualTo(100_000);
    assertThat(bytes / TASKS).as("bytes a task").isLessThanOrEqualTo(little / TASKS + 120);
  }

  /// Bytes allocated in the engine.
  private static long run(EngineWorkload workload, List<Delivery> running, int rounds) {
    long bytes = 0;
    for (int i = 0; i < rounds; i++) {
      var records = workload.records(ROUND, 0);
      long before = ThreadUsage.bytes();
      workload.arrive(records, running);
      workload.complete(running);
      bytes += ThreadUsage.bytes() - before;
    }
    return bytes;
  }

  @Test
  void aBatchIsOneTransactionOfFewPages(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("cost.sqlite");
    try (var workload = new StoreWorkload(file, 4 * ROUND)) {
      WriteAheadLog before = WriteAheadLog.of(file);
      for (int i = 0; i < ROUNDS; i++) {
        workload.commit(workload.changes(ROUND));
      }
      WriteAheadLog after = WriteAheadLog.of(file);

      assertThat(after.transactions() - before.transactions()).isEqualTo(ROUNDS);
      double pages = (double) (after.frames() - before.frames()) / TASKS;
      assertThat(pages).as("pages a task").isLessThanOrEqualTo(0.36);
    }
  }

  /// Records of finished tasks: no transaction more, and a few hundredths of a page for each task.
  @Test
  void aRecordOfAFinishedTaskIsNoTransactionAndFewBytes(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("cost.sqlite");
    try (var workload = new StoreWorkload(file, 4 * ROUND, true)) {
      commit(workload, 4);
      WriteAheadLog before = WriteAheadLog.of(file);
      for (int i = 0; i < ROUNDS; i++) {
        workload.commit(workload.changes(ROUND));
      }
      WriteAheadLog after = WriteAheadLog.of(file);

      assertThat(after.transactions() - before.transactions()).isEqualTo(ROUNDS);
      double pages = (double) (after.frames() - before.frames()) / TASKS;
      assertThat(pages).as("pages a task").isLessThanOrEqualTo(0.37);
    }
  }

  @Test
  void aRecordOfAFinishedTaskAllocatesLittleInTheEngine() {
    var workload = new EngineWorkload(3_600_000);
    run(workload, new ArrayList<>(), ROUNDS);

    long bytes = run(workload, new ArrayList<>(), ROUNDS);

    assertThat(bytes / TASKS).as("bytes a task").isLessThanOrEqualTo(1_290);
  }

  @Test
  void theStoreAllocatesLittlePerInsertAndDelete(@TempDir Path dir) {
    try (var workload = new StoreWorkload(dir.resolve("cost.sqlite"), 4 * ROUND)) {
      commit(workload, ROUNDS);

      long bytes = commit(workload, ROUNDS);

      assertThat(bytes / TASKS).as("bytes a task").isLessThanOrEqualTo(580);
    }
  }

  @Test
  void aRecordOfAFinishedTaskAllocatesLittleInTheStore(@TempDir Path dir) {
    try (var workload = new StoreWorkload(dir.resolve("cost.sqlite"), 4 * ROUND, true)) {
      commit(workload, ROUNDS);

      long bytes = commit(workload, ROUNDS);

      assertThat(bytes / TASKS).as("bytes a task").isLessThanOrEqualTo(870);
    }
  }

  private static long commit(StoreWorkload workload, int rounds) {
    long bytes = 0;
    for (int i = 0; i < rounds; i++) {
      List<Change> changes = workload.changes(ROUND);
      long before = ThreadUsage.bytes();
      workload.commit(changes);
      bytes += ThreadUsage.bytes() - before;
    }
    return bytes;
  }
}
