package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.runtime.Service;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Who may take a partition from whom.
@Timeout(60)
final class H11GenerationTest {
  private final Database database = PostgresServer.shared().newDatabase();

  @Test
  void h11EarlierGenerationIsRefused() {
    PostgresOptions options = PostgresSetup.options(database);
    try (PostgresStore zombie = PostgresStore.open(options);
        PostgresStore owner = PostgresStore.open(options)) {
      assertThat(zombie.take(partition(0), 4)).isPresent();
      assertThat(owner.take(partition(0), 5)).isPresent();
      assertThat(zombie.take(partition(0), 4)).isEmpty();
      assertThat(owner.take(partition(0), 5)).as("its own, again").isPresent();
      assertThat(zombie.take(partition(0), 6)).isPresent();
      assertThat(owner.take(partition(0), 5)).isEmpty();
    }
  }

  @Test
  void h11LeaseThatIsNotRenewedLapses() {
    Duration lease = Duration.ofMillis(600);
    PostgresOptions options = PostgresSetup.options(database, lease, PostgresSetup.LONG);
    try (PostgresStore gone = PostgresStore.open(options);
        PostgresStore next = PostgresStore.open(options)) {
      gone.take(partition(0), 9);
      await().until(() -> next.take(partition(0), 1).isPresent());
    }
  }

  /// As a broker does that stood still while others took its partitions.
  @Test
  void h11BrokerThatStoodStillHearsWhatItLostBeforeItHasALeaseAgain() {
    Duration lease = Duration.ofMillis(600);
    PostgresOptions options = PostgresSetup.options(database, lease, PostgresSetup.LONG);
    try (PostgresStore frozen = PostgresStore.open(options);
        PostgresStore other = PostgresStore.open(options)) {
      frozen.take(partition(0), 1);
      frozen.take(partition(1), 1);
      List<String> told = new CopyOnWriteArrayList<>();
      Service before = frozen.watch(hearing(told), (_, _) -> {});
      before.start();
      await().until(() -> told.contains("leased"));
      before.stop();
      other.take(partition(1), 2);
      await()
          .until(() ->
              !PostgresSetup.query(
                      database,
                      "SELECT count(*) FROM taskbroker_run WHERE lease_until > clock_timestamp()")
                  .equals("1"));
      told.clear();

      Service after = frozen.watch(hearing(told), (_, _) -> {});
      after.start();
      await().until(() -> told.contains("leased"));
      after.stop();
      assertThat(told).startsWith("lost 1", "leased").doesNotContain("lost 0");
      assertThat(frozen.load(partition(1), 0, 1)).isEmpty();
    }
  }

  /// Of a place that changes hands meanwhile it cannot tell which is later.
  @Test
  void h11ProofThatATakeOverlapsSaysNothing() throws SQLException {
    List<String> told = new CopyOnWriteArrayList<>();
    var proof = new OwnershipProof(1, new OwnedPartitions(new OwnedPartition(1)));
    proof.beginMove();
    try (Connection connection = database.connect()) {
      assertThat(proof.prove(connection, hearing(told))).isFalse();
    }
    assertThat(told).isEmpty();
  }

  private static PostgresStore.Listener hearing(List<String> told) {
    return new PostgresStore.Listener() {
      @Override
      public void leased(long until, long wallUntil) {
        told.add("leased");
      }

      @Override
      public void lost(String topic, int partition) {
        told.add("lost " + partition);
      }

      @Override
      public void reported(List<RemoteReport> reports) {}
    };
  }

  @Test
  void h11LeaseIsRenewedByTheWatchAndCountedFromTheAsking() {
    Duration lease = Duration.ofMillis(900);
    PostgresOptions options = PostgresSetup.options(database, lease, PostgresSetup.LONG);
    List<Long> ends = new CopyOnWriteArrayList<>();
    List<Long> saidAt = new CopyOnWriteArrayList<>();
    PostgresStore.Listener listener =
        new PostgresStore.Listener() {
          @Override
          public void leased(long until, long wallUntil) {
            saidAt.add(System.nanoTime());
            ends.add(until);
          }

          @Override
          public void reported(List<RemoteReport> reports) {}
        };
    try (PostgresStore owner = PostgresStore.open(options);
        PostgresStore zombie = PostgresStore.open(options)) {
      Service watch = owner.watch(listener, (_, _) -> {});
      watch.start();
      try {
        owner.take(partition(0), 9);
        await().until(() -> ends.size() >= 6); // half a lease longer than one lasts
        assertThat(zombie.take(partition(0), 1)).isEmpty();
        assertThat(ends).isSorted();
        for (int i = 0; i < 6; i++) {
          assertThat(ends.get(i) - saidAt.get(i)).isLessThan(lease.toNanos());
        }
        PostgresSetup.query(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE"
                + " '%taskbroker_run%' AND pid <> pg_backend_pid() AND datname ="
                + " current_database()");
        int before = ends.size();
        await().until(() -> ends.size() >= before + 4);
        assertThat(zombie.take(partition(0), 1)).as("the seat was had again").isEmpty();
      } finally {
        watch.stop();
      }
    }
  }
}
