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

/// The ledgers between the reader of a topic and the engine: a reader that sleeps is woken when
/// there is something to do, and the accounts add up whoever settles what when (G1, G7).
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
  void g7AReaderThatIsFullAndGoesToSleepIsWokenWhenThereIsRoom() {
    Interleavings.of(() -> {
      var ledgers = shared(new PartitionOffsets(4, 1_000));
      ledgers.open(P0, 0, 0);
      ledgers.handedOver(P0, 4, 4, 4, null);
      check(ledgers.isFull(), "room");
      Actor engine =
          start(() -> {
            ledgers.consumed(P0, 2, 2, 2, false);
            ledgers.consumed(P0, 3, 1, 1, false);
          });
      sleepUntil(ledgers, () -> !ledgers.isFull());
      join(engine);
      check(ledgers.due(NOTES).getFirst().offset() == 3, ledgers.due(NOTES));
    });
  }

  @Test
  void h02AReaderThatGoesToSleepIsWokenByWhoWaitsForACommit() {
    Interleavings.of(() -> {
      var ledgers = shared(new PartitionOffsets(4, 1_000));
      ledgers.open(P0, 0, 0);
      ledgers.handedOver(P0, 1, 1, 1, null);
      Actor engine = start(() -> ledgers.consumed(P0, 1, 1, 1, true));
      sleepUntil(ledgers, ledgers::takeUrgent);
      join(engine);
      check(ledgers.due(NOTES).getFirst().offset() == 1, ledgers.due(NOTES));
    });
  }

  @SuppressWarnings("WaitNotInLoop") // the loop is in Ledgers
  @Test
  void g1WhatIsSettledWhileItsPartitionIsGivenUpIsRememberedOrNotYetDurable() {
    Interleavings.of(() -> {
      var ledgers = shared(new PartitionOffsets(4, 1_000, (monitor, _) -> monitor.wait()));
      ledgers.open(P0, 0, 0);
      ledgers.open(P1, 0, 0);
      ledgers.handedOver(P0, 2, 2, 2, null);
      ledgers.handedOver(P1, 2, 2, 2, null);
      ledgers.closing(P0);
      Actor engine =
          start(() -> {
            ledgers.consumed(P1, 2, 2, 2, false);
            ledgers.consumed(P0, 2, 2, 2, false);
            ledgers.drained(P0);
          });
      ledgers.close(P0);
      check(ledgers.awaitDrained(List.of(P0), Duration.ofDays(1)), "not drained");
      var mark = ledgers.watermark(P0);
      check(mark != null && mark.next() == 2, String.valueOf(mark));
      join(engine);
      ledgers.handedOver(P1, 5, 3, 3, null);
      check(!ledgers.isFull(), "records that were settled still count");
    });
  }

  /// As the reader does, with a permit in the place of Kafka's wake-up.
  private static void sleepUntil(PartitionOffsets ledgers, Condition done)
      throws InterruptedException {
    var permit = new Semaphore(0);
    while (!done.holds()) {
      if (ledgers.sleep(() -> permit.release())) {
        permit.acquire();
      }
      ledgers.awake();
    }
  }

  private interface Condition {
    boolean holds();
  }
}
