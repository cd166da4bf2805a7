package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.store.SharedInMemoryStore;
import io.taskbroker.store.WriteBatch;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PartitionHandoffTest {
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "uuid", "tasks", 0);
  private static final CommandSink NOBODY =
      new CommandSink() {
        @Override
        public void request(Command.Request request) {}

        @Override
        public void submit(Command command) {}
      };

  private final SharedInMemoryStore.Disk disk = new SharedInMemoryStore.Disk();
  private long batches;

  /// A failover undid that the records up to 26 were consumed. The partition is released before
  /// they are read again, and comes back.
  @Test
  void g3RecordsOfBeforeAFailoverMayHaveRunUntilTheyAreReadAgain() {
    disk.countPositions(() -> 0);
    var store = new SharedInMemoryStore(disk, "A", _ -> {});
    var handoff = new PartitionHandoff(store, store, NOBODY, () -> Instant.EPOCH);
    assertThat(reached(handoff)).isEqualTo(Watermark.NONE);
    consume(store, 3);
    SharedInMemoryStore.Disk standby = disk.copy();
    consume(store, 26);
    disk.failOver(standby);
    consume(store, 27); // is not applied: it shows the failover
    handoff.release(PARTITION, false);

    assertThat(reached(handoff)).isEqualTo(26);
    handoff.release(PARTITION, true);
    assertThat(reached(handoff)).as("nothing was read").isEqualTo(26);
    consume(store, 20);
    handoff.release(PARTITION, true);
    assertThat(reached(handoff)).as("a part was read").isEqualTo(26);
    consume(store, 26);
    handoff.release(PARTITION, true);
    assertThat(reached(handoff)).as("all was read").isEqualTo(Watermark.NONE);
  }

  private static long reached(PartitionHandoff handoff) {
    return handoff.take(PARTITION, 1, null).orElseThrow().reached();
  }

  private void consume(SharedInMemoryStore store, long next) {
    var consumed = new Change.AdvanceWatermark(PARTITION, next, null, null);
    store.commit(new WriteBatch(++batches, List.of(consumed)));
  }
}
