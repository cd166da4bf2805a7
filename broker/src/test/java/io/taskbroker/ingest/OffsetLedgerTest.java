package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class OffsetLedgerTest {

  @Test
  void aCommittedOffsetIsNotCommittedAgain() {
    assertThat(new OffsetLedger(100, 100).isAhead()).isFalse();
    assertThat(new OffsetLedger(100, 90).isAhead()).isTrue();
    assertThat(new OffsetLedger(100, Watermark.NONE).isAhead()).isTrue();
  }

  @Test
  void g1CommitsOnlyWhatIsDurable() {
    var ledger = new OffsetLedger(100, 100);
    ledger.handedOver(150, 50, 5000, List.of());
    assertThat(ledger.isAhead()).isFalse();

    ledger.settled(120, 20, 2000);
    assertThat(ledger.isAhead()).isTrue();
    assertThat(ledger.durable()).isEqualTo(120);
    assertThat(ledger.records()).isEqualTo(30);
    assertThat(ledger.bytes()).isEqualTo(3000);

    ledger.committed(120, 100, StorePosition.NONE);
    assertThat(ledger.isAhead()).isFalse();
  }

  @Test
  void offsetsMayHaveGaps() {
    var ledger = new OffsetLedger(0, 0);
    ledger.handedOver(10, 3, 30, List.of());
    ledger.handedOver(25, 0, 0, List.of());
    ledger.settled(25, 3, 30);

    assertThat(ledger.durable()).isEqualTo(25);
    assertThat(ledger.records()).isZero();
  }

  @Test
  void g1DurableOffsetsAreClampedToWhatWasHandedOver() {
    var ledger = new OffsetLedger(100, 100);
    ledger.handedOver(110, 10, 10, List.of());
    ledger.settled(200, 999, 999);

    assertThat(ledger.durable()).isEqualTo(110);
    assertThat(ledger.records()).isZero();
    assertThat(ledger.bytes()).isZero();
  }

  @Test
  void aResetBelowTheCommittedOffsetIsCommitted() {
    var ledger = new OffsetLedger(10, 500);
    assertThat(ledger.isAhead()).isTrue();
    ledger.committed(10, 10, StorePosition.NONE);
    assertThat(ledger.isAhead()).isFalse();
  }

  @Test
  void refusesRecordsOutOfOrder() {
    var ledger = new OffsetLedger(100, 100);
    ledger.handedOver(110, 10, 10, List.of());
    assertThatThrownBy(() -> ledger.handedOver(105, 1, 1, List.of()))
        .isInstanceOf(IllegalStateException.class);
  }

  /// Compares the ledger with a queue of batches that become durable in order.
  @Test
  void g1NeverPassesAnUndurableRecord() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    var ledger = new OffsetLedger(0, Watermark.NONE);
    var pending = new ArrayDeque<long[]>();
    long next = 0;
    long firstUndurable = 0;
    long outstanding = 0;
    for (int i = 0; i < 10_000; i++) {
      switch (random.nextInt(3)) {
        case 0 -> {
          int records = random.nextInt(5);
          next += records + random.nextInt(3);
          ledger.handedOver(next, records, records * 10L, List.of());
          pending.add(new long[] {next, records});
          outstanding += records;
        }
        case 1 -> {
          long[] batch = pending.poll();
          if (batch != null) {
            firstUndurable = batch[0];
            outstanding -= batch[1];
            ledger.settled(batch[0], batch[1], batch[1] * 10);
          }
        }
        default -> ledger.committed(ledger.durable(), Watermark.NONE, StorePosition.NONE);
      }
      assertThat(ledger.durable()).as("seed %d, step %d", seed, i).isEqualTo(firstUndurable);
      assertThat(ledger.committed()).as("seed %d", seed).isLessThanOrEqualTo(firstUndurable);
      assertThat(ledger.records()).as("seed %d", seed).isEqualTo(outstanding);
      assertThat(ledger.bytes()).as("seed %d", seed).isEqualTo(outstanding * 10);
    }
  }
}
