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

/// Takes of a partition by generation and lease.
@Timeout(240)
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
      assertThat(owner.take(partition(0), 5)).as("already the owner").isPresent();
      assertThat(zombie.take(partition(0), 6)).isPresent();
      assertThat(owner.take(partition(0), 5)).isEmpty();
    }
  }

  @Test
  void h11LeaseExpiresWithoutRenewal() {
    Duration lease = Duration.ofMillis(600);
    PostgresOptions options = PostgresSetup.options(database, lease, PostgresSetup.LONG);
    try (PostgresStore gone = PostgresStore.open(options);
        PostgresStore next = PostgresStore.open(options)) {
      gone.take(partition(0), 9);
      await().until(() -> next.take(partition(0), 1).isPresent());
    }
  }

  /// A broker that was paused while others took its partitions.
  @Test
  void h11PausedBrokerLearnsOfItsLossesBeforeItsNextLease() {
    Duration lease = Duration.ofMillis(600);
    PostgresOptions options = PostgresSetup.options(database, lease, PostgresSetup.LONG);
    try (PostgresStore frozen = PostgresStore.open(options);
        PostgresStore other = PostgresStore.open(options)) {
      frozen.take(partition(0), 1);
      frozen.take(partition(1), 1);
      List<String> events = new CopyOnWriteArrayList<>();
      Service before = frozen.watch(recording(events), (_, _) -> {});
      before.start();
      await().until(() -> events.contains("leased"));
      before.stop();
      other.take(partition(1), 2);
      await()
          .until(() ->
              !PostgresSetup.query(
                      database,
                      "SELECT count(*) FROM taskbroker_broker WHERE lease_until >"
                          + " clock_timestamp()")
                  .equals("1"));
      events.clear();

      Service after = frozen.watch(recording(events), (_, _) -> {});
      after.start();
      await().until(() -> events.contains("leased"));
      after.stop();
      assertThat(events).startsWith("lost 1", "leased").doesNotContain("lost 0");
      assertThat(frozen.load(partition(1), 0, 1)).isEmpty();
    }
  }

  /// The result cannot be ordered against a take.
  @Test
  void h11OverlappingTakeMakesTheProofInconclusive() throws SQLException {
    List<String> events = new CopyOnWriteArrayList<>();
    var proof = new OwnershipProof(1, new OwnedPartitions(new OwnedPartition(1)));
    proof.beginMove();
    try (Connection connection = database.connect()) {
      assertThat(proof.prove(connection, recording(events))).isFalse();
    }
    assertThat(events).isEmpty();
  }

  private static PostgresStore.Listener recording(List<String> events) {
    return new PostgresStore.Listener() {
      @Override
      public void leased(long until, long wallUntil) {
        events.add("leased");
      }

      @Override
      public void lost(String topic, int partition) {
        events.add("lost " + partition);
      }

      @Override
      public void reported(List<RemoteReport> reports) {}
    };
  }

  @Test
  void h11LeaseIsRenewedAndCountedFromTheRequest() {
    Duration lease = Duration.ofMillis(2_500);
    PostgresOptions options = PostgresSetup.options(database, lease, PostgresSetup.LONG);
    List<Long> ends = new CopyOnWriteArrayList<>();
    List<Long> announcedAt = new CopyOnWriteArrayList<>();
    PostgresStore.Listener listener =
        new PostgresStore.Listener() {
          @Override
          public void leased(long until, long wallUntil) {
            announcedAt.add(System.nanoTime());
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
        await().until(() -> ends.size() >= 6); // 1.5 times the lease
        assertThat(zombie.take(partition(0), 1)).isEmpty();
        assertThat(ends).isSorted();
        for (int i = 0; i < 6; i++) {
          assertThat(ends.get(i) - announcedAt.get(i)).isLessThan(lease.toNanos());
        }
        PostgresSetup.query(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE"
                + " '%taskbroker_broker%' AND pid <> pg_backend_pid() AND datname ="
                + " current_database()");
        int before = ends.size();
        await().until(() -> ends.size() >= before + 4);
        assertThat(zombie.take(partition(0), 1)).as("the member slot was acquired again").isEmpty();
      } finally {
        watch.stop();
      }
    }
  }
}
