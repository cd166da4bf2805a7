package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

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

@Timeout(20)
final class PartitionOffsetsTest {
  private static final SourcePartition P0 = partition("uuid", 0);
  private static final SourcePartition P1 = partition("uuid", 1);
  private static final OffsetMetadataFormat NOTES =
      OffsetMetadataFormat.of("store", PartitionOwnership.sole(List.of(), Map::of));

  private final PartitionOffsets ledgers = new PartitionOffsets(100, 1000);
  private final AtomicInteger woken = new AtomicInteger();

  @Test
  void g7IsFullAtTheBoundOfRecordsUntilHalfOfThemAreSettled() {
    ledgers.open(P0, 0, 0);
    ledgers.open(P1, 0, 0);
    ledgers.handedOver(P0, 60, 60, 60, null);
    assertThat(ledgers.isFull()).isFalse();
    ledgers.handedOver(P1, 40, 40, 40, null);
    assertThat(ledgers.isFull()).isTrue();

    ledgers.consumed(P0, 50, 50, 50, false);
    assertThat(ledgers.isFull()).isTrue();
    ledgers.consumed(P0, 51, 1, 1, false);
    assertThat(ledgers.isFull()).isFalse();
  }

  @Test
  void g7IsFullAtTheBoundOfBytes() {
    ledgers.open(P0, 0, 0);
    ledgers.handedOver(P0, 1, 1, 1000, null);
    assertThat(ledgers.isFull()).isTrue();
    ledgers.consumed(P0, 1, 1, 1000, false);
    assertThat(ledgers.isFull()).isFalse();
  }

  @Test
  void wakesTheReaderOnlyWhenItMatters() {
    ledgers.open(P0, 0, 0);
    ledgers.handedOver(P0, 100, 100, 100, null);
    assertThat(ledgers.isFull()).isTrue();
    assertThat(ledgers.sleep(woken::incrementAndGet)).isTrue();

    ledgers.consumed(P0, 50, 50, 50, false);
    assertThat(woken).hasValue(0);
    ledgers.consumed(P0, 60, 10, 10, false);
    assertThat(woken).hasValue(1);
    ledgers.consumed(P0, 70, 10, 10, true);
    assertThat(woken).as("once a sleep").hasValue(1);

    assertThat(ledgers.sleep(woken::incrementAndGet)).as("there is something to do").isFalse();
    assertThat(ledgers.takeUrgent()).isTrue();
    assertThat(ledgers.isFull()).isFalse();
    assertThat(ledgers.sleep(woken::incrementAndGet)).isTrue();
    ledgers.consumed(P0, 80, 10, 10, false);
    assertThat(woken).as("neither paused nor urgent").hasValue(1);
    ledgers.consumed(P0, 90, 10, 10, true);
    assertThat(woken).hasValue(2);
  }

  @Test
  void aReaderThatIsAwakeIsNotWoken() {
    ledgers.open(P0, 0, 0);
    assertThat(ledgers.sleep(woken::incrementAndGet)).isTrue();
    ledgers.awake();
    ledgers.consumed(P0, 0, 0, 0, true);
    ledgers.stop();

    assertThat(woken).hasValue(0);
    assertThat(ledgers.sleep(woken::incrementAndGet)).isFalse();
  }

  @Test
  void anAcknowledgementOfAnEarlierGenerationDoesNotCount() {
    ledgers.open(P0, 0, Watermark.NONE);
    PartitionOffsets.Due due = ledgers.due(NOTES).getFirst();
    ledgers.close(P0);
    assertThat(ledgers.acknowledged(due)).isFalse();

    ledgers.open(P0, 0, Watermark.NONE);
    assertThat(ledgers.acknowledged(due)).isFalse();
    assertThat(ledgers.due(NOTES)).hasSize(1);
  }

  /// Kafka is told again, as soon as more is done, what is to be read again after a loss; nobody
  /// else is.
  @Test
  void aNoteThatIsStaleIsCommittedAgain() {
    var lows = new HashMap<SourcePartition, Long>();
    var notes = OffsetMetadataFormat.of("store", PartitionOwnership.sole(List.of(), () -> lows));
    ledgers.open(P0, 0, 0);
    ledgers.handedOver(P0, 100, 100, 100, null);
    ledgers.consumed(P0, 100, 100, 100, false);
    lows.put(P0, 20L);
    PartitionOffsets.Due first = ledgers.due(notes).getFirst();
    assertThat(first)
        .isEqualTo(
            new PartitionOffsets.Due(P0, first.ledger(), 100, 20, true, StorePosition.NONE, null));
    assertThat(ledgers.acknowledged(first)).isTrue();
    assertThat(ledgers.due(notes)).isEmpty();

    lows.put(P0, 140L);
    PartitionOffsets.Due second = ledgers.due(notes).getFirst();
    assertThat(second)
        .isEqualTo(
            new PartitionOffsets.Due(
                P0, first.ledger(), 100, 100, false, StorePosition.NONE, null));
    assertThat(ledgers.acknowledged(second)).isTrue();
    lows.put(P0, 150L);
    assertThat(ledgers.due(notes)).isEmpty();
  }

  @Test
  void aNoteThatKnewNothingIsStaleWhenSomethingIsKnown() {
    ledgers.open(P0, 100, 90);
    assertThat(ledgers.acknowledged(ledgers.due(NOTES).getFirst())).isTrue();
    assertThat(ledgers.due(NOTES)).isEmpty();
    assertThat(
            ledgers.due(
                OffsetMetadataFormat.of(
                    "store", PartitionOwnership.sole(List.of(), () -> Map.of(P0, 0L)))))
        .hasSize(1);
  }

  /// Nor what another broker committed, nor what is below it while that is read again.
  @Test
  void aNoteOfSomebodyElseIsNotStale() {
    var notes =
        OffsetMetadataFormat.of("store", PartitionOwnership.sole(List.of(), () -> Map.of(P0, 50L)));
    ledgers.open(P0, 100, 100);
    assertThat(ledgers.due(notes)).isEmpty();
    ledgers.close(P0);
    ledgers.open(P0, new OffsetLedger(30, 100, 10, 100, null));
    assertThat(ledgers.due(notes)).isEmpty();
  }

  @Test
  void h01RemembersWhatIsDurableOfAPartitionThatWasGivenUp() {
    ledgers.open(P0, 10, 5);
    ledgers.handedOver(P0, 30, 20, 20, null);
    ledgers.consumed(P0, 20, 10, 10, false);
    ledgers.closing(P0);
    ledgers.close(P0);
    assertThat(ledgers.watermark(P0)).isEqualTo(new Watermark(P0, 20, 5));

    ledgers.consumed(P0, 30, 10, 10, false);
    assertThat(ledgers.watermark(P0)).isEqualTo(new Watermark(P0, 30, 5));

    ledgers.drained(P0);
    ledgers.consumed(P0, 99, 10, 10, false);
    assertThat(ledgers.watermark(P0)).isEqualTo(new Watermark(P0, 30, 5));
  }

  @Test
  void whatWasGivenUpDoesNotFillTheBound() {
    ledgers.open(P0, 0, 0);
    ledgers.handedOver(P0, 100, 100, 100, null);
    assertThat(ledgers.isFull()).isTrue();
    ledgers.close(P0);
    assertThat(ledgers.isFull()).isFalse();

    ledgers.consumed(P0, 100, 100, 100, false);
    ledgers.open(P0, 0, 0);
    ledgers.handedOver(P0, 100, 100, 100, null);
    assertThat(ledgers.isFull()).isTrue();
  }

  @Test
  void waitsUntilAllIsDrainedOrTheTimeIsOver() throws InterruptedException {
    ledgers.closing(P0);
    ledgers.closing(P1);
    assertThat(ledgers.awaitDrained(List.of(P0), Duration.ofMillis(20))).isFalse();

    Thread engine =
        Thread.ofPlatform()
            .start(() -> {
              ledgers.drained(P1);
              ledgers.drained(P0);
            });
    assertThat(ledgers.awaitDrained(List.of(P0, P1), Duration.ofSeconds(10))).isTrue();
    engine.join();
  }

  @Test
  void h05KnowsATopicByItsUuid() {
    assertThat(ledgers.knowTopicOf(P0)).isFalse();
    ledgers.remember(List.of(new Watermark(P1, 5, 5)));

    assertThat(ledgers.knowTopicOf(P0)).isTrue();
    assertThat(ledgers.knowTopicOf(partition("other uuid", 0))).isFalse();
  }

  private static SourcePartition partition(String topicId, int number) {
    return new SourcePartition("cluster", "group", topicId, "tasks", number);
  }
}
