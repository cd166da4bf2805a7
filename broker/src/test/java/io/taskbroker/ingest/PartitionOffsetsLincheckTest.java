package io.taskbroker.ingest;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import io.taskbroker.activation.SourcePartition;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Offsets shared by the reader of a topic and the engine. A sleeping reader is woken when there is
/// something to do, and the counts add up whichever thread settles what when (G1, G7).
@Tag("concurrency")
@Timeout(300)
final class PartitionOffsetsLincheckTest {
  private static final SourcePartition P0 =
      new SourcePartition("cluster", "group", "uuid", "topic", 0);
  private static final SourcePartition P1 =
      new SourcePartition("cluster", "group", "uuid", "topic", 1);
  private static final OffsetMetadataFormat NOTES =
      OffsetMetadataFormat.of("store", PartitionOwnership.sole(List.of(), Map::of));

  @Test
  void g7AFullReaderThatGoesToSleepIsWokenByRoom() {
    Interleavings.of(() -> {
      var offsets = shared(new PartitionOffsets(4, 1_000));
      offsets.open(P0, 0, 0);
      offsets.handedOver(P0, 4, 4, 4, List.of());
      check(offsets.isFull(), "room");
      Actor engine =
          start(() -> {
            offsets.consumed(P0, 2, 2, 2, false);
            offsets.consumed(P0, 3, 1, 1, false);
          });
      sleepUntil(offsets, () -> !offsets.isFull());
      join(engine);
      check(offsets.due(NOTES).getFirst().offset() == 3, offsets.due(NOTES));
    });
  }

  @Test
  void h02AReaderThatGoesToSleepIsWokenByAnUrgentCommit() {
    Interleavings.of(() -> {
      var offsets = shared(new PartitionOffsets(4, 1_000));
      offsets.open(P0, 0, 0);
      offsets.handedOver(P0, 1, 1, 1, List.of());
      Actor engine = start(() -> offsets.consumed(P0, 1, 1, 1, true));
      sleepUntil(offsets, offsets::takeUrgent);
      join(engine);
      check(offsets.due(NOTES).getFirst().offset() == 1, offsets.due(NOTES));
    });
  }

  @SuppressWarnings("WaitNotInLoop") // the loop is in PartitionOffsets
  @Test
  void g1RecordsSettledDuringAReleaseAreInTheWatermarkOrNotDurable() {
    Interleavings.of(() -> {
      var offsets = shared(new PartitionOffsets(4, 1_000, (monitor, _) -> monitor.wait()));
      offsets.open(P0, 0, 0);
      offsets.open(P1, 0, 0);
      offsets.handedOver(P0, 2, 2, 2, List.of());
      offsets.handedOver(P1, 2, 2, 2, List.of());
      offsets.closing(P0);
      Actor engine =
          start(() -> {
            offsets.consumed(P1, 2, 2, 2, false);
            offsets.consumed(P0, 2, 2, 2, false);
            offsets.drained(P0);
          });
      offsets.close(P0);
      check(offsets.awaitDrained(List.of(P0), Duration.ofDays(1)), "not drained");
      var watermark = offsets.watermark(P0);
      check(watermark != null && watermark.next() == 2, String.valueOf(watermark));
      join(engine);
      offsets.handedOver(P1, 5, 3, 3, List.of());
      check(!offsets.isFull(), "records that were settled still count");
    });
  }

  /// Sleeps as the reader does, with a permit instead of Kafka's wake-up.
  private static void sleepUntil(PartitionOffsets offsets, Condition done)
      throws InterruptedException {
    var permit = new Semaphore(0);
    while (!done.holds()) {
      if (offsets.sleep(() -> permit.release())) {
        permit.acquire();
      }
      offsets.awake();
    }
  }

  private interface Condition {
    boolean holds();
  }
}
