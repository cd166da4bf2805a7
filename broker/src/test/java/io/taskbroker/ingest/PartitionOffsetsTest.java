package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class PartitionOffsetsTest {
  private static final SourcePartition P0 = partition("uuid", 0);
  private static final SourcePartition P1 = partition("uuid", 1);
  private static final OffsetMetadataFormat NOTES =
      OffsetMetadataFormat.of("store", PartitionOwnership.sole(List.of(), Map::of));

  private final PartitionOffsets offsets = new PartitionOffsets(100, 1000);
  private final AtomicInteger woken = new AtomicInteger();

  @Test
  void g7IsFullAtTheBoundOfRecordsUntilHalfOfThemAreSettled() {
    offsets.open(P0, 0, 0);
    offsets.open(P1, 0, 0);
    offsets.handedOver(P0, 60, 60, 60, List.of());
    assertThat(offsets.isFull()).isFalse();
    offsets.handedOver(P1, 40, 40, 40, List.of());
    assertThat(offsets.isFull()).isTrue();

    offsets.consumed(P0, 50, 50, 50, false);
    assertThat(offsets.isFull()).isTrue();
    offsets.consumed(P0, 51, 1, 1, false);
    assertThat(offsets.isFull()).isFalse();
  }

  @Test
  void g7IsFullAtTheBoundOfBytes() {
    offsets.open(P0, 0, 0);
    offsets.handedOver(P0, 1, 1, 1000, List.of());
    assertThat(offsets.isFull()).isTrue();
    offsets.consumed(P0, 1, 1, 1000, false);
    assertThat(offsets.isFull()).isFalse();
  }

  @Test
  void wakesTheReaderOnlyIfThereIsSomethingToDo() {
    offsets.open(P0, 0, 0);
    offsets.handedOver(P0, 100, 100, 100, List.of());
    assertThat(offsets.isFull()).isTrue();
    assertThat(offsets.sleep(woken::incrementAndGet)).isTrue();

    offsets.consumed(P0, 50, 50, 50, false);
    assertThat(woken).hasValue(0);
    offsets.consumed(P0, 60, 10, 10, false);
    assertThat(woken).hasValue(1);
    offsets.consumed(P0, 70, 10, 10, true);
    assertThat(woken).as("once a sleep").hasValue(1);

    assertThat(offsets.sleep(woken::incrementAndGet)).as("there is something to do").isFalse();
    assertThat(offsets.takeUrgent()).isTrue();
    assertThat(offsets.isFull()).isFalse();
    assertThat(offsets.sleep(woken::incrementAndGet)).isTrue();
    offsets.consumed(P0, 80, 10, 10, false);
    assertThat(woken).as("neither paused nor urgent").hasValue(1);
    offsets.consumed(P0, 90, 10, 10, true);
    assertThat(woken).hasValue(2);
  }

  @Test
  void anAwakeReaderIsNotWoken() {
    offsets.open(P0, 0, 0);
    assertThat(offsets.sleep(woken::incrementAndGet)).isTrue();
    offsets.awake();
    offsets.consumed(P0, 0, 0, 0, true);
    offsets.stop();

    assertThat(woken).hasValue(0);
    assertThat(offsets.sleep(woken::incrementAndGet)).isFalse();
  }

  @Test
  void anAcknowledgementOfAnEarlierGenerationIsIgnored() {
    offsets.open(P0, 0, Watermark.NONE);
    PartitionOffsets.Due due = offsets.due(NOTES).getFirst();
    offsets.close(P0);
    assertThat(offsets.acknowledged(due)).isFalse();

    offsets.open(P0, 0, Watermark.NONE);
    assertThat(offsets.acknowledged(due)).isFalse();
    assertThat(offsets.due(NOTES)).hasSize(1);
  }

  /// Without the record, a truncation of the log below the offset would not be noticed.
  @Test
  void h01TheLastRecordIsKnownAlsoIfItBecomesDurableAfterTheLossOfThePartition() {
    var first = new RecordIdentity(4, 0, 100);
    var second = new RecordIdentity(9, 0, 200);
    offsets.open(P0, 0, Watermark.NONE);
    offsets.handedOver(P0, 5, 5, 5, List.of(first));
    offsets.handedOver(P0, 10, 5, 5, List.of(second));
    offsets.closing(P0);
    offsets.close(P0);
    offsets.consumed(P0, 5, 5, 5, false);
    assertThat(offsets.watermark(P0)).isEqualTo(new Watermark(P0, 5, Watermark.NONE, first));
    offsets.consumed(P0, 10, 5, 5, false);
    assertThat(offsets.watermark(P0)).isEqualTo(new Watermark(P0, 10, Watermark.NONE, second));
    offsets.drained(P0);
    offsets.consumed(P0, 11, 1, 1, false);
    assertThat(offsets.watermark(P0))
        .as("of another broker")
        .extracting(Watermark::next)
        .isEqualTo(10L);
  }

  /// New metadata is committed for the same offset as soon as the start offset grows; the engine
  /// does not hear of it.
  @Test
  void staleMetadataIsCommittedAgain() {
    var startOffsets = new HashMap<SourcePartition, Long>();
    var metadataFormat =
        OffsetMetadataFormat.of("store", PartitionOwnership.sole(List.of(), () -> startOffsets));
    offsets.open(P0, 0, 0);
    offsets.handedOver(P0, 100, 100, 100, List.of());
    offsets.consumed(P0, 100, 100, 100, false);
    startOffsets.put(P0, 20L);
    PartitionOffsets.Due first = offsets.due(metadataFormat).getFirst();
    assertThat(first)
        .isEqualTo(
            new PartitionOffsets.Due(P0, first.ledger(), 100, 20, true, StorePosition.NONE, null));
    assertThat(offsets.acknowledged(first)).isTrue();
    assertThat(offsets.due(metadataFormat)).isEmpty();

    startOffsets.put(P0, 140L);
    PartitionOffsets.Due second = offsets.due(metadataFormat).getFirst();
    assertThat(second)
        .isEqualTo(
            new PartitionOffsets.Due(
                P0, first.ledger(), 100, 100, false, StorePosition.NONE, null));
    assertThat(offsets.acknowledged(second)).isTrue();
    startOffsets.put(P0, 150L);
    assertThat(offsets.due(metadataFormat)).isEmpty();
  }

  @Test
  void metadataWithoutAStartOffsetIsStaleOnceOneIsKnown() {
    offsets.open(P0, 100, 90);
    assertThat(offsets.acknowledged(offsets.due(NOTES).getFirst())).isTrue();
    assertThat(offsets.due(NOTES)).isEmpty();
    assertThat(
            offsets.due(
                OffsetMetadataFormat.of(
                    "store", PartitionOwnership.sole(List.of(), () -> Map.of(P0, 0L)))))
        .hasSize(1);
  }

  /// Neither for an offset that another broker committed, nor below it while records are read
  /// again.
  @Test
  void foreignMetadataIsNotStale() {
    var metadataFormat =
        OffsetMetadataFormat.of("store", PartitionOwnership.sole(List.of(), () -> Map.of(P0, 50L)));
    offsets.open(P0, 100, 100);
    assertThat(offsets.due(metadataFormat)).isEmpty();
    offsets.close(P0);
    offsets.open(P0, new OffsetLedger(30, 100, 10, 100, null));
    assertThat(offsets.due(metadataFormat)).isEmpty();
  }

  @Test
  void h01KeepsTheWatermarkOfAReleasedPartition() {
    offsets.open(P0, 10, 5);
    offsets.handedOver(P0, 30, 20, 20, List.of());
    offsets.consumed(P0, 20, 10, 10, false);
    offsets.closing(P0);
    offsets.close(P0);
    assertThat(offsets.watermark(P0)).isEqualTo(new Watermark(P0, 20, 5));

    offsets.consumed(P0, 30, 10, 10, false);
    assertThat(offsets.watermark(P0)).isEqualTo(new Watermark(P0, 30, 5));

    offsets.drained(P0);
    offsets.consumed(P0, 99, 10, 10, false);
    assertThat(offsets.watermark(P0)).isEqualTo(new Watermark(P0, 30, 5));
  }

  @Test
  void aReleasedPartitionDoesNotCountForTheBound() {
    offsets.open(P0, 0, 0);
    offsets.handedOver(P0, 100, 100, 100, List.of());
    assertThat(offsets.isFull()).isTrue();
    offsets.close(P0);
    assertThat(offsets.isFull()).isFalse();

    offsets.consumed(P0, 100, 100, 100, false);
    offsets.open(P0, 0, 0);
    offsets.handedOver(P0, 100, 100, 100, List.of());
    assertThat(offsets.isFull()).isTrue();
  }

  @Test
  void waitsUntilAllIsDrainedOrTheTimeout() throws InterruptedException {
    offsets.closing(P0);
    offsets.closing(P1);
    assertThat(offsets.awaitDrained(List.of(P0), Duration.ofMillis(20))).isFalse();

    Thread engine =
        Thread.ofPlatform()
            .start(() -> {
              offsets.drained(P1);
              offsets.drained(P0);
            });
    assertThat(offsets.awaitDrained(List.of(P0, P1), Duration.ofSeconds(10))).isTrue();
    engine.join();
  }

  @Test
  void h05KnowsATopicByItsUuid() {
    assertThat(offsets.knowsTopicOf(P0)).isFalse();
    offsets.remember(List.of(new Watermark(P1, 5, 5)));

    assertThat(offsets.knowsTopicOf(P0)).isTrue();
    assertThat(offsets.knowsTopicOf(partition("other uuid", 0))).isFalse();
  }

  private static SourcePartition partition(String topicId, int number) {
    return new SourcePartition("cluster", "group", topicId, "tasks", number);
  }
}
