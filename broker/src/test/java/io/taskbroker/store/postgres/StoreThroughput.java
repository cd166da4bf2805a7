package io.taskbroker.store.postgres;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;

/// Benchmark of inserts and deletes through a store, with the CPU time per row of the committer
/// thread and its backend: `StoreThroughput [seconds] [rows per commit] [backlog] [id index]`.
///
/// Runs twice, the second time while another session holds an old snapshot. The index is `hash` (as
/// in the migrations), `btree` or `none`.
final class StoreThroughput {
  private static final byte[] PAYLOAD = new byte[400];

  private final Database database;
  private final int batch;
  private final int backlog;
  private final Random random = new Random(1);

  private StoreThroughput(Database database, int batch, int backlog) {
    this.database = database;
    this.batch = batch;
    this.backlog = backlog;
  }

  public static void main(String[] arguments) throws SQLException {
    long seconds = arguments.length > 0 ? Long.parseLong(arguments[0]) : 20;
    int batch = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 300;
    int backlog = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 3_000;
    String index = arguments.length > 3 ? arguments[3] : "hash";
    new Random(2).nextBytes(PAYLOAD);
    try (PostgresServer server = PostgresServer.start(Map.of("shared_buffers", "256MB"))) {
      Database database = server.newDatabase();
      PostgresStore.migrate(PostgresSetup.options(database));
      if (!index.equals("hash")) {
        database.execute("DROP INDEX taskbroker_activation_id");
      }
      if (index.equals("btree")) {
        database.execute("CREATE INDEX ON taskbroker_activation (id)");
      }
      StoreThroughput throughput = new StoreThroughput(database, batch, backlog);
      throughput.run("warm-up", seconds / 2);
      throughput.run("no other session, index " + index, seconds);
      try (Connection holder = database.connect()) {
        holder.setAutoCommit(false);
        holder.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try (Statement statement = holder.createStatement()) {
          statement.execute("SELECT count(*) FROM inflight_taskactivations");
        }
        throughput.run("a held snapshot, first part", seconds);
        throughput.run("a held snapshot, second part", seconds);
      }
    }
  }

  private void run(String what, long seconds) {
    try (PostgresStore store = PostgresStore.open(PostgresSetup.options(database))) {
      store.take(PostgresSetup.partition(0), 1);
      Deque<Row> rows = new ArrayDeque<>();
      long key = store.lastKey();
      long number = 0;
      while (rows.size() < backlog) {
        key = commit(store, ++number, key, rows, 0);
      }
      long done = 0;
      long cpu = threadCpu();
      long backend = backendCpu(store);
      long begun = System.nanoTime();
      while (System.nanoTime() - begun < Duration.ofSeconds(seconds).toNanos()) {
        key = commit(store, ++number, key, rows, batch);
        done += batch;
      }
      double elapsed = (System.nanoTime() - begun) / 1e9;
      System.out.printf(
          "%-32s %,7.0f rows/s, us a row: committer %.1f, backend %.1f%n",
          what,
          done / elapsed,
          (threadCpu() - cpu) / 1e3 / done,
          (backendCpu(store) - backend) / 1e3 / done);
      while (!rows.isEmpty()) {
        List<Change> rest = new ArrayList<>();
        for (int i = 0; i < batch && !rows.isEmpty(); i++) {
          rest.add(delete(rows.removeFirst()));
        }
        store.commit(new WriteBatch(++number, rest));
      }
    }
  }

  private long commit(PostgresStore store, long number, long last, Deque<Row> rows, int deletes) {
    List<Change> changes = new ArrayList<>(batch + deletes);
    long key = last;
    for (int i = 0; i < batch; i++) {
      Row row = row(++key);
      rows.addLast(row);
      changes.add(new Change.Insert(row, null));
    }
    for (int i = 0; i < deletes; i++) {
      changes.add(delete(rows.removeFirst()));
    }
    changes.add(new Change.AdvanceWatermark(PostgresSetup.partition(0), key, null));
    store.commit(new WriteBatch(number, changes));
    return key;
  }

  private Row row(long key) {
    Activation activation =
        new Activation(
            new UUID(random.nextLong(), random.nextLong()).toString(),
            "app",
            "namespace",
            "some.module.with.a.task",
            PAYLOAD,
            PostgresSetup.origin(0),
            Rows.NOW,
            Activation.NEVER,
            0,
            30,
            FailurePolicy.DISCARD,
            false,
            false);
    return Row.arriving(key, activation, Status.PENDING, Rows.NOW);
  }

  private static Change delete(Row row) {
    Activation of = row.activation();
    return new Change.Delete(row.key(), of.id(), of.origin(), Row.NONE, null);
  }

  private static long threadCpu() {
    return ManagementFactory.getThreadMXBean().getThreadCpuTime(Thread.currentThread().threadId());
  }

  /// CPU time of the backend of the committing connection.
  private long backendCpu(PostgresStore store) {
    String pid =
        PostgresSetup.query(
            database,
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'taskbroker_%d' AND query LIKE '%%COMMIT%%'"
                .formatted(store.lastKey() >> Commits.KEY_BITS));
    return pid.isEmpty()
        ? 0
        : ProcessHandle.of(Long.parseLong(pid))
            .flatMap(process -> process.info().totalCpuDuration())
            .map(Duration::toNanos)
            .orElse(0L);
  }
}
