package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.delete;
import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static io.taskbroker.store.postgres.PostgresSetup.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Member slots, and the adoption of orphans.
@Timeout(240)
final class H23MemberSlotTest {
  private final Database database = PostgresServer.shared().newDatabase();
  private final PostgresOptions options =
      PostgresSetup.options(database, Duration.ofMillis(300), Duration.ofMillis(300));

  @Test
  void h23BrokersHaveDistinctSlotsRowsAndKeys() {
    try (PostgresStore first = PostgresStore.open(options);
        PostgresStore second = PostgresStore.open(options)) {
      assertThat(first.name()).endsWith("-0").isNotEqualTo(second.name());
      assertThat(second.name()).endsWith("-1");
      assertThat(second.lastKey()).isGreaterThan(first.lastKey());
      first.commit(new WriteBatch(1, List.of(insert(first.lastKey() + 1, -1))));
      second.commit(new WriteBatch(1, List.of(insert(second.lastKey() + 1, -1))));
      assertThat(first.load(0, 10)).extracting(Row::key).containsExactly(first.lastKey());
      assertThat(second.load(0, 10)).extracting(Row::key).containsExactly(second.lastKey());
    }
  }

  @Test
  void h23RestartedBrokerKeepsItsNameAndRows() {
    String name;
    long key;
    try (PostgresStore first = PostgresStore.open(options)) {
      name = first.name();
      key = first.lastKey() + 1;
      first.commit(new WriteBatch(1, List.of(insert(key, -1))));
    }
    try (PostgresStore again = PostgresStore.open(options)) {
      assertThat(again.name()).isEqualTo(name);
      assertThat(again.lastKey()).isGreaterThan(key);
      assertThat(again.load(0, 10)).extracting(Row::key).containsExactly(key);
      assertThat(again.commit(new WriteBatch(1, List.of(delete(key, -1)))))
          .containsExactly(ChangeOutcome.APPLIED);
    }
  }

  @Test
  void h23RowsOfASeatThatNobodyTakesAreMovedToABrokerThatLives() {
    try (PostgresStore stays = PostgresStore.open(options)) {
      List<Long> keys = new ArrayList<>();
      try (PostgresStore goes = PostgresStore.open(options)) {
        List<Change> changes = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
          long key = goes.lastKey() + 1 + i;
          keys.add(key);
          Row row = PostgresSetup.row(key, -1);
          changes.add(new Change.Insert(i == 4 ? row.parkedUntil(Rows.NOW) : row, null));
        }
        changes.add(new Change.Delete(9, "ended", PostgresSetup.origin(-1), Rows.NOW, null));
        goes.commit(new WriteBatch(1, changes));
      }
      Adoption nothing = new Adoption(List.of(), List.of(), List.of());
      List<Long> adopted = new ArrayList<>();
      List<ParkedRow> parked = new ArrayList<>();
      await()
          .until(() -> {
            Adoption some = stays.adopt(2);
            assertThat(some.rows()).hasSizeLessThanOrEqualTo(2);
            some.rows().forEach(row -> adopted.add(row.key()));
            parked.addAll(some.parked());
            return adopted.size() + parked.size() == 5;
          });
      assertThat(adopted).containsExactlyElementsOf(keys.subList(0, 4));
      assertThat(parked).extracting(ParkedRow::key).containsExactly(keys.get(4));
      assertThat(stays.adopt(2)).isEqualTo(nothing);
      assertThat(stays.load(0, 10)).extracting(Row::key).isEqualTo(adopted);
      assertThat(stays.tombstones(0)).hasSize(1);
      assertThat(stays.commit(new WriteBatch(1, List.of(delete(adopted.getFirst(), -1)))))
          .containsExactly(ChangeOutcome.APPLIED);
      try (PostgresStore next = PostgresStore.open(options)) {
        assertThat(next.load(0, 10)).as("the slot is free, its rows are adopted").isEmpty();
      }
    }
  }

  /// When the server was away for long, no broker has a lease, and all of them live.
  @Test
  void h23NothingIsAdoptedUntilAllBrokersThatLiveHaveRenewedTheirLeases() {
    try (PostgresStore one = PostgresStore.open(options);
        PostgresStore other = PostgresStore.open(options)) {
      other.commit(new WriteBatch(1, List.of(insert(other.lastKey() + 1, -1))));
      await()
          .until(() -> {
            one.leased(lease(Duration.ofHours(1)));
            assertThat(one.adopt(1).isEmpty()).isTrue();
            return query(
                    database,
                    "SELECT bool_and(lease_until < clock_timestamp() - interval '300 ms')"
                        + " FROM taskbroker_broker")
                .equals("t");
          });
      one.leased(lease(Duration.ZERO));
      assertThat(one.adopt(1).isEmpty()).as("without a lease").isTrue();
      one.leased(lease(Duration.ofHours(1)));
      await().until(() -> one.adopt(1).rows().size() == 1);
    }
  }

  private static PostgresStore.Lease lease(Duration length) {
    return new PostgresStore.Lease(System.nanoTime(), length.toNanos());
  }

  @Test
  void partitionThatVanishedIsAdoptedAndATrueAssignmentTakesItBack() {
    try (PostgresStore stays = PostgresStore.open(options)) {
      try (PostgresStore goes = PostgresStore.open(options)) {
        goes.take(partition(3), 7);
        goes.take(partition(4), 7); // without rows: no orphan
        goes.commit(new WriteBatch(1, List.of(insert(1, 3))));
        goes.release(partition(3), true);
      }
      List<SourcePartition> adopted = new ArrayList<>();
      await()
          .until(() -> {
            adopted.addAll(stays.adopt(10).partitions());
            return !adopted.isEmpty();
          });
      assertThat(adopted).containsExactly(new SourcePartition("", "", "", "topic", 3));
      assertThat(stays.load(adopted.getFirst(), 0, 10)).extracting(Row::key).containsExactly(1L);
      assertThat(stays.adopt(10).isEmpty()).isTrue();
      try (PostgresStore assigned = PostgresStore.open(options)) {
        assertThat(assigned.take(partition(3), 1)).isPresent();
        assertThat(stays.commit(new WriteBatch(1, List.of(delete(1, 3)))))
            .containsExactly(ChangeOutcome.FENCED);
      }
    }
  }

  @Test
  void partitionsOfALiveBrokerAreNotAdopted() {
    PostgresOptions patient =
        PostgresSetup.options(database, PostgresSetup.LONG, Duration.ofMillis(1));
    try (PostgresStore lives = PostgresStore.open(patient);
        PostgresStore other = PostgresStore.open(patient)) {
      lives.take(partition(0), 1);
      lives.commit(new WriteBatch(1, List.of(insert(1, 0), insert(2, -1))));
      assertThat(other.adopt(10).isEmpty()).isTrue();
      assertThat(
              query(
                  database, "SELECT count(*) FROM taskbroker_owned_partition WHERE epoch IS NULL"))
          .isEqualTo("0");
    }
  }
}
