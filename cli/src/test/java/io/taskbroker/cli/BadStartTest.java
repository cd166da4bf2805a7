package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.store.sqlite.SqliteOptions;
import io.taskbroker.store.sqlite.SqliteStore;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PostgresPooler;
import io.taskbroker.testkit.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A real process that cannot start reports the cause in one line and exits with code 1 (G9).
@Timeout(240)
final class BadStartTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Address without a listener, which does not prevent a start.
  private static final String NO_KAFKA = "127.0.0.1:1";

  private final List<BrokerProcess> processes = new ArrayList<>();

  @TempDir private Path dir;

  @AfterEach
  void endAll() {
    processes.forEach(BrokerProcess::close);
  }

  @Test
  void anUnreadableConfigurationIsOneLine() throws Exception {
    BrokerSetup missing = setup("missing");
    BrokerSetup folder = setup("folder");
    Files.createDirectory(folder.config());
    BrokerSetup binary = setup("binary");
    Files.write(binary.config(), new byte[] {'a', ':', ' ', (byte) 0xFF});
    BrokerSetup malformed = setup("malformed");
    Files.writeString(malformed.config(), "store:\n  sqlite: {path: x\ngrpc_port: 1\n");

    List<BrokerProcess> ends =
        List.of(
            run(missing.startAsIs()),
            run(folder.startAsIs()),
            run(binary.startAsIs()),
            run(malformed.startAsIs()));

    assertEnds(ends, missing, missing.config() + " does not exist");
    assertEnds(ends, folder, folder.config() + " cannot be read");
    assertEnds(ends, binary, binary.config() + ": not UTF-8 text");
    assertEnds(ends, malformed, malformed.config() + ":3:", "not valid YAML");
  }

  @Test
  void everyConfigurationErrorIsALine() throws Exception {
    BrokerSetup setup =
        setup("wrong")
            .with("grpc_port", "99999")
            .with("delivery_mode", "sideways")
            .with("status_update_batch_size", "0")
            .with("kafka_deadletter_topic", "nowhere")
            .with("grpc_sharde_secret", "[s3cret]");

    BrokerProcess process = run(setup.start());

    await().atMost(PATIENCE).until(() -> !process.isAlive());
    assertThat(process.exitCode()).hasValue(1);
    assertThat(setup.output())
        .allSatisfy(line -> assertThat(line).startsWith("taskbroker: ").doesNotContain("s3cret"));
    assertThat(setup.exitReasons())
        .hasSize(5)
        .satisfiesOnlyOnce(line -> assertThat(line).contains("grpc_port = 99999", "65535"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("sideways", "pull or push"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("status_update_batch_size = 0"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("kafka_deadletter_topic", "nowhere"))
        .satisfiesOnlyOnce(
            line -> assertThat(line).contains("warning: ", "sharde", "grpc_shared_secret"));
  }

  @Test
  void aPortOrAStoreOfAnotherBrokerIsOneLine() throws Exception {
    BrokerSetup first = setup("first");
    BrokerProcess running = run(first.start()).awaitServing(PATIENCE);
    BrokerSetup port = setup("port").with("grpc_port", Integer.toString(first.port()));
    BrokerSetup store =
        setup("store").with("store", "{sqlite: {path: \"%s\"}}".formatted(first.store()));

    List<BrokerProcess> ends = List.of(run(port.start()), run(store.start()));

    assertEnds(ends, port, "127.0.0.1:" + first.port(), "in use");
    assertEnds(ends, store, "Another broker uses the store " + first.store().toRealPath());
    assertThat(running.awaitServing(PATIENCE).stop(PATIENCE)).isZero();
  }

  @Test
  void anInvalidStoreIsOneLine() throws Exception {
    BrokerSetup nowhere = setup("nowhere");
    nowhere.with("store", "{sqlite: {path: \"%s/no/store\"}}".formatted(dir));
    BrokerSetup garbage = setup("garbage");
    byte[] noise = new byte[20_000];
    new Random(7).nextBytes(noise);
    Files.write(garbage.store(), noise);
    BrokerSetup busy = filled("busy");

    try (var other = busy.openStore();
        var statement = other.createStatement()) {
      statement.execute("BEGIN IMMEDIATE");
      List<BrokerProcess> ends = new ArrayList<>();
      for (BrokerSetup setup : List.of(nowhere, garbage, busy)) {
        ends.add(run(setup.start()));
      }

      assertEnds(ends, nowhere, dir + "/no of the store", "does not exist");
      assertEnds(ends, garbage, garbage.store() + " is damaged or not a SQLite database");
      assertEnds(ends, busy, busy.store() + "", "database is locked");
    }
  }

  @Test
  void anUntrustedPostgresIsOneLine() throws Exception {
    var authority = new CertificateAuthority("databases");
    Path root = authority.write(dir.resolve("root.pem"));
    Path other = new CertificateAuthority("others").write(dir.resolve("other.pem"));
    try (PostgresServer server = PostgresServer.startEncrypted(dir, authority)) {
      PostgresServer.Database database = server.newDatabase();
      BrokerSetup right = onPostgres("right", database, "sslmode=verify-full&sslrootcert=" + root);
      BrokerSetup wrong = onPostgres("wrong", database, "sslmode=verify-full&sslrootcert=" + other);
      BrokerSetup plain = onPostgres("plain", database, "sslmode=disable");
      BrokerProcess running = run(right.start());

      List<BrokerProcess> ends = List.of(run(wrong.start()), run(plain.start()));

      assertEnds(ends, wrong, "unable to find valid certification path", "sslrootcert");
      assertEnds(ends, plain, "no encryption", "sslmode");
      assertThat(running.awaitServing(PATIENCE).stop(PATIENCE)).isZero();
    }
  }

  @Test
  void h23APoolerWithoutSessionsIsOneLine() throws Exception {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    try (var pooler = PostgresPooler.start(database.port(), PostgresPooler.Mode.TRANSACTION)) {
      var through =
          new PostgresServer.Database(
              database.host(),
              pooler.port(),
              database.name(),
              database.username(),
              database.password());
      BrokerSetup first = onPostgres("first", through, "");
      BrokerSetup second = onPostgres("second", through, "");

      List<BrokerProcess> ends = List.of(run(first.start()), run(second.start()));

      assertEnds(ends, first, "behind a pooler", "pool_mode = session");
      assertEnds(ends, second, "behind a pooler", "pool_mode = session");
    }
  }

  @Test
  void g9ASignalEndsTheWaitForPostgresInOrder() throws Exception {
    var nowhere =
        new PostgresServer.Database("127.0.0.1", Ports.free(), "tasks", "nobody", "nothing");
    BrokerSetup setup = onPostgres("waiting", nowhere, "");
    BrokerProcess process = run(setup.start());
    await()
        .atMost(PATIENCE)
        .until(() ->
            setup.output().stream()
                .anyMatch(line -> line.contains("The start waits for Postgres, and tries again")));

    assertThat(process.stop(PATIENCE)).isZero();
    assertThat(setup.exitReasons()).isEmpty();
  }

  private BrokerSetup onPostgres(String name, PostgresServer.Database database, String params)
      throws IOException {
    return setup(name)
        .with(
            "store",
            "{adapter: postgres, retry: {delay: 10ms}, pg: {run_migrations: true, host: \"%s\", port: %d, database_name: %s, query_params: \"%s\"}}"
                .formatted(database.host(), database.port(), database.name(), params));
  }

  private BrokerSetup setup(String name) throws IOException {
    return BrokerSetup.pull(dir.toRealPath(), name, NO_KAFKA);
  }

  /// A store with some rows.
  private BrokerSetup filled(String name) throws Exception {
    BrokerSetup setup = setup(name);
    SqliteStore.open(new SqliteOptions(setup.store(), 0)).close();
    try (var connection = setup.openStore();
        var statement = connection.createStatement()) {
      statement.executeUpdate(
          """
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
          INSERT INTO activation SELECT
            i, 'id-' || i, 'app', NULL, 'Pending', 0, NULL, NULL, 0, 1, 0, 0, 0, 1, 0, 10, 0, NULL,
            NULL, 0, 'tasks', 0, i, 'n', 't', NULL, NULL, NULL, randomblob(2000) FROM n
          """);
    }
    return setup;
  }

  private BrokerProcess run(BrokerProcess process) {
    processes.add(process);
    return process;
  }

  private static void assertEnds(List<BrokerProcess> all, BrokerSetup setup, String... words)
      throws Exception {
    await().atMost(PATIENCE).until(() -> all.stream().noneMatch(BrokerProcess::isAlive));
    assertThat(all).allSatisfy(process -> assertThat(process.exitCode()).hasValue(1));
    assertThat(setup.exitReasons()).singleElement().asString().contains(words);
    assertThat(setup.output()).noneMatch(line -> line.startsWith("\tat "));
  }
}
