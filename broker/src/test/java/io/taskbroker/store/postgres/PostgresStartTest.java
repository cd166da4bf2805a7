package io.taskbroker.store.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.taskbroker.LogCapture;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import io.taskbroker.store.postgres.PostgresOptions.Retry;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Start of a broker: retries transient errors, and fails at once where an operator is needed (G9).
@Timeout(240)
final class PostgresStartTest {
  private static final Retry WAITS = new Retry(0, Duration.ofMillis(20), Retry.UNBOUNDED);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension private final LogCapture log = LogCapture.of(StartWait.class);

  @Test
  void serverThatIsNotUpYetAndAStandbyThatIsNoPrimaryYetAreWaitedFor() {
    try (PostgresServer server = PostgresServer.start(Map.of())) {
      Database database = server.unmadeDatabase();
      server.stop();
      CompletableFuture<PostgresStore> opening =
          ConnectionGate.meanwhile(() -> PostgresStore.open(waiting(database, login(database))));
      log.awaitLine(PATIENCE, "WARN The start waits for Postgres, and tries again: ");
      assertThat(log.lines()).singleElement().asString().contains("08001");

      server.startAgainAsStandby();
      awaitLineWith("25006");
      assertThat(opening).isNotDone();

      server.promote();
      PostgresStore store = opening.orTimeout(60, TimeUnit.SECONDS).join();
      assertThat(log.lines().getLast()).startsWith("INFO Connected to Postgres after ");
      store.close();
    }
  }

  @Test
  void serverThatHasNoRoomIsWaitedFor() {
    Database database = PostgresServer.shared().newDatabase();
    Login crowded = new Login("crowded_" + database.name(), "secret");
    database.execute(
        "CREATE USER %s PASSWORD 'secret' CONNECTION LIMIT 0".formatted(crowded.username()),
        "GRANT ALL ON SCHEMA public TO " + crowded.username());
    CompletableFuture<PostgresStore> opening =
        ConnectionGate.meanwhile(() -> PostgresStore.open(waiting(database, crowded)));
    awaitLineWith("53300");
    assertThat(log.lines()).singleElement().asString().contains("max_connections");
    database.execute("ALTER USER " + crowded.username() + " CONNECTION LIMIT -1");
    opening.orTimeout(60, TimeUnit.SECONDS).join().close();
  }

  @Test
  void untrustedServerIsRetriedAsConfigured() {
    var tries = new AtomicInteger();
    var failure = new SQLException("SSL error: certificate_unknown", "08006");
    var wait = new StartWait(new Retry(3, Duration.ofMillis(1), Retry.UNBOUNDED));
    assertThatThrownBy(() ->
            wait.retryUntilReady(() -> {
              tries.incrementAndGet();
              throw new StoreException(Kind.TRANSIENT, "no trust", failure);
            }))
        .hasMessage("no trust");
    assertThat(tries).hasValue(4);
  }

  @Test
  void whatTakesAPersonEndsTheStartAtOnce() {
    Database database = PostgresServer.shared().newDatabase();
    assertEnds(waiting(database, new Login("nobody_at_all", "x")), "28000", "create the role");
    Login poor = new Login("poor_" + database.name(), "secret");
    database.execute("CREATE USER " + poor.username() + " PASSWORD 'secret'");
    assertEnds(waiting(database, poor), "42501", "grant");
    Database missing = PostgresServer.shared().unmadeDatabase();
    PostgresOptions options = waiting(missing, login(missing));
    assertEnds(
        new PostgresOptions(
            options.address(), options.login(), Optional.empty(), options.limits(), WAITS),
        "3D000",
        "--run migrations");
  }

  @Test
  void databaseWithoutUnicodeIsRefused() {
    Database database = PostgresServer.shared().unmadeDatabase();
    PostgresServer.shared()
        .database("postgres")
        .execute(
            "CREATE DATABASE %s TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
                .formatted(database.name()));
    assertEnds(waiting(database, login(database)), "LATIN1", "ENCODING 'UTF8'");
  }

  private static void assertEnds(PostgresOptions options, String... words) {
    assertThatThrownBy(() -> PostgresStore.open(options))
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FATAL))
        .hasMessageContainingAll(words);
  }

  private void awaitLineWith(String word) {
    await()
        .atMost(PATIENCE)
        .until(() -> log.lines().stream().anyMatch(line -> line.contains(word)));
  }

  private static Login login(Database database) {
    return new Login(database.username(), database.password());
  }

  private static PostgresOptions waiting(Database database, Login login) {
    PostgresOptions options = PostgresSetup.options(database);
    return new PostgresOptions(
        options.address(), login, Optional.of(login), options.limits(), WAITS);
  }
}
