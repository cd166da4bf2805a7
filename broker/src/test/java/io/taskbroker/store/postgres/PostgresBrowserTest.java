package io.taskbroker.store.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.BrowserContract;
import io.taskbroker.store.Fleet;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class PostgresBrowserTest extends BrowserContract {
  private final PostgresServer.Database database = PostgresServer.shared().newDatabase();

  @Override
  protected ActivationStore open() {
    PostgresStore store = PostgresStore.open(PostgresSetup.options(database));
    assertThat(store.take(new SourcePartition("cluster", "group", "", "taskworker", 3), 1))
        .isPresent();
    return store;
  }

  @Override
  protected RowBrowser browser(ActivationStore store) {
    return ((PostgresStore) store).browser();
  }

  @Test
  void everyBrokerSeesWhoOwnsWhat() {
    try (PostgresStore one = PostgresStore.open(PostgresSetup.options(database));
        PostgresStore other = PostgresStore.open(PostgresSetup.options(database));
        PostgresBrowser browser = one.browser()) {
      Instant before = Instant.now().minusSeconds(60);
      other.take(PostgresSetup.partition(5), 1);
      Fleet fleet = browser.fleet().orElseThrow();
      assertThat(fleet.members())
          .filteredOn(member -> member.name().equals(other.name()))
          .singleElement()
          .satisfies(member -> assertThat(member.alive()).isTrue())
          .satisfies(member -> assertThat(member.version()).isPresent())
          .satisfies(member -> assertThat(member.startedAt().orElseThrow()).isAfter(before))
          .satisfies(member -> assertThat(member.lastSeen().orElseThrow()).isAfter(before));
      Fleet.Owned owned = owned(fleet, 5);
      assertThat(owned.since().orElseThrow()).isAfter(before);
      assertThat(fleet.owners().get(owned.id())).isEqualTo(other.name());

      other.take(PostgresSetup.partition(5), 2);
      assertThat(owned(browser.fleet().orElseThrow(), 5).since())
          .as("the same owner")
          .isEqualTo(owned.since());
      other.release(PostgresSetup.partition(5), true);
      Fleet.Owned released = owned(browser.fleet().orElseThrow(), 5);
      assertThat(released.epoch()).isEmpty();
      assertThat(released.since()).isPresent();
    }
  }

  @Test
  void pagesGoOnOverPartitions() {
    var store = (PostgresStore) store();
    assertThat(store.take(new SourcePartition("cluster", "group", "", "taskworker", 4), 1))
        .isPresent();
    List<Change> inserts = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Activation activation = everywhere("id-everywhere-" + i, 3 + i % 2);
      Row row = Row.arriving(store.lastKey() + 1 + i, activation, Status.PENDING, Rows.NOW);
      inserts.add(new Change.Insert(row, null));
    }
    store.commit(new WriteBatch(1_000, inserts));

    List<String> found = new ArrayList<>();
    Optional<RowBrowser.Position> next = Optional.of(RowBrowser.Position.START);
    while (next.isPresent()) {
      RowBrowser.Query query = named("everywhere", "task", Duration.ofSeconds(10));
      RowBrowser.Page page = browser().browse(query.from(next.get(), 1));
      page.rows().forEach(row -> found.add(row.row().activation().id()));
      next = page.next();
    }
    assertThat(found)
        .containsExactly(
            "id-everywhere-0", "id-everywhere-2", "id-everywhere-1", "id-everywhere-3");
  }

  private static Activation everywhere(String id, int partition) {
    return new Activation(
        id,
        "app",
        "everywhere",
        "task",
        new byte[0],
        new Origin("taskworker", partition, 1),
        Rows.NOW,
        Activation.NEVER,
        0,
        30,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  /// A window is read once, in the order of the primary key.
  @Test
  void windowsAreRangesOfThePrimaryKey() throws SQLException {
    String partition = "(SELECT min(partition_id) FROM taskbroker_activation)";
    String window =
        PostgresSearch.WINDOW
            .formatted("(t.taskname = 'none')")
            .replaceFirst("\\?", "3")
            .replaceFirst("\\?", partition)
            .replaceFirst("\\?", "0")
            .replaceFirst("\\?", "4096");
    var plan = new StringBuilder();
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement()) {
      statement.execute(PostgresBrowser.SESSION);
      try (ResultSet result = statement.executeQuery("EXPLAIN (ANALYZE) " + window)) {
        while (result.next()) {
          plan.append(result.getString(1)).append('\n');
        }
      }
    }
    assertThat(plan.toString())
        .containsPattern("Index Scan using \\S+_pkey on taskbroker_activation t .*rows=4096")
        .doesNotContain("Sort", "Bitmap", "Seq Scan");
  }

  private static Fleet.Owned owned(Fleet fleet, int partition) {
    return fleet.partitions().stream()
        .filter(owned -> owned.topic().equals("topic") && owned.partition() == partition)
        .findFirst()
        .orElseThrow();
  }
}
