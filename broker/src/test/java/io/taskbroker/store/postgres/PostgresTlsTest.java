package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static io.taskbroker.store.postgres.PostgresSetup.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Status;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.store.postgres.PostgresOptions.Address;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import io.taskbroker.store.postgres.PostgresOptions.Retry;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// TLS connections to a server that requires TLS.
@Timeout(240)
final class PostgresTlsTest {
  private static final String SECRET = "hunter2";
  private static final String UNTRUSTED = "unable to find valid certification path";

  @TempDir private static Path folder;
  private static CertificateAuthority authority;
  private static Path root;
  private static Path otherRoot;
  private static PostgresServer server;

  private Database database;
  private String user;

  @BeforeAll
  static void startServer() {
    authority = new CertificateAuthority("databases");
    root = authority.write(folder.resolve("root.pem"));
    otherRoot = new CertificateAuthority("others").write(folder.resolve("other-root.pem"));
    server = PostgresServer.startEncrypted(folder, authority);
  }

  @BeforeEach
  void makeDatabase() {
    database = server.newDatabase();
    user = "user_" + database.name();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  /// The server authenticates this user by a certificate that only the parameters name: it refuses
  /// a connection without them.
  @Test
  void everyConnectionOfAStoreUsesTheParameters() {
    makeUser("IN ROLE " + PostgresServer.CERTIFIED);
    CertificateAuthority.Issued own = authority.issue(folder, user, "a client");
    PostgresOptions options =
        options(
            "sslmode=verify-full&sslrootcert=%s&sslcert=%s&sslkey=%s&pemKeyAlgorithm=EC"
                .formatted(root, own.certificate(), own.key()));
    PostgresStore.migrate(options);
    List<RemoteReport> received = new CopyOnWriteArrayList<>();
    try (PostgresStore store = PostgresStore.open(options);
        PostgresStore other = PostgresStore.open(options)) {
      Service watch = store.watch(listener(received), (_, _) -> {});
      watch.start();
      store.take(partition(0), 1);
      store.commit(new WriteBatch(1, List.of(insert(1, 0))));
      other.report(List.of(new RemoteReport(0, "id-1", Status.COMPLETE, -1, -1)));
      await().untilAsserted(() -> assertThat(received).isNotEmpty());
      assertThat(
              query(
                  database,
                  """
                  SELECT (count(*) >= 5) || ' ' || string_agg(DISTINCT s.ssl || ' ' || s.client_dn, ', ')
                  FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = '%s'
                  """
                      .formatted(user)))
          .as("three connections of the first store, two of the one that never commits")
          .isEqualTo("true true /CN=" + user);
      watch.stop();
    }
  }

  @Test
  void verifiedServerReceivesThePassword() {
    makeUser("PASSWORD '" + SECRET + "'");
    PostgresStore.open(options("sslmode=verify-full&sslrootcert=" + root)).close();
  }

  @Test
  void offeredEncryptionIsUsed() {
    makeUser("PASSWORD '" + SECRET + "'");
    PostgresStore.open(options("")).close();
  }

  /// The last as in libpq: `sslrootcert` turns `require` into `verify-ca`.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sslmode=verify-full&sslrootcert=",
        "sslmode=verify-ca&sslrootcert=",
        "ssl-mode=verify-full&ssl-root-cert=",
        "ssl-mode=verify-full&ssl-ca=",
        "sslmode=require&sslrootcert="
      })
  void serverWithAnUntrustedCertificateIsRefused(String params) {
    StoreException refusal = refusalOf(options(params + otherRoot));
    assertThat(refusal)
        .hasMessageContainingAll(
            UNTRUSTED, "check sslmode and sslrootcert in store.pg.query_params");
    assertThat(
            catchThrowableOfType(
                StoreException.class, () -> PostgresStore.migrate(options(params + otherRoot))))
        .hasMessageContainingAll("migrate", UNTRUSTED);
  }

  @Test
  void systemTrustStoreRefusesThisServer() {
    assertThat(refusalOf(options("sslrootcert=system"))).hasMessageContaining(UNTRUSTED);
  }

  @Test
  void serverWithAnotherHostNameIsRefused() {
    makeUser("PASSWORD '" + SECRET + "'");
    assertThat(refusalOf(at("localhost", options("sslmode=verify-full&sslrootcert=" + root))))
        .hasMessageContainingAll("hostname localhost", "the certificate of the server");
    PostgresStore.open(at("localhost", options("sslmode=verify-ca&sslrootcert=" + root))).close();
  }

  @Test
  void serverRefusesUnencryptedConnections() {
    assertThat(refusalOf(options("sslmode=disable")))
        .hasMessageContainingAll("no encryption", "set sslmode in store.pg.query_params");
  }

  @Test
  void missingRootCertificateIsNamed() {
    assertThat(refusalOf(options("sslmode=verify-full&sslrootcert=/nowhere/root.pem")))
        .hasMessageContainingAll("/nowhere/root.pem", "check sslmode and sslrootcert");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "sslmode=verify_full, there is no sslmode 'verify_full'",
        "sslmod=verify-full, there is no 'sslmod'",
        "ssl_min_protocol_version=TLSv1.3, there is no 'ssl_min_protocol_version'",
        "sslrootcert=/100%.pem, '/100%.pem' has a %",
        "sslpassword=hunter2, 'sslpassword' is a secret",
        "password=hunter2, 'password' is a secret",
      })
  void invalidSecurityParameterIsRefused(String params, String why) {
    assertThat(refusalOf(options(params)))
        .hasMessageStartingWith("store.pg.query_params cannot be honoured: " + why);
  }

  private void makeUser(String how) {
    database.execute(
        "CREATE USER " + user + " " + how,
        "ALTER DATABASE " + database.name() + " OWNER TO " + user);
  }

  private PostgresOptions options(String params) {
    Login login = new Login(user, SECRET);
    return new PostgresOptions(
        new Address(
            database.host(), database.port(), database.name(), "postgres", Optional.of(params)),
        login,
        Optional.of(login),
        PostgresSetup.options(database).limits(),
        new Retry(0, Duration.ZERO));
  }

  private static PostgresOptions at(String host, PostgresOptions options) {
    Address address = options.address();
    return new PostgresOptions(
        new Address(
            host,
            address.port(),
            address.database(),
            address.maintenanceDatabase(),
            address.queryParams()),
        options.login(),
        options.migrator(),
        options.limits(),
        options.retry());
  }

  /// The error of opening the store: fatal, on one line, without secrets.
  private static StoreException refusalOf(PostgresOptions options) {
    StoreException refusal =
        catchThrowableOfType(StoreException.class, () -> PostgresStore.open(options).close());
    assertThat(refusal).as("refusal").isNotNull();
    assertThat(refusal.kind()).isEqualTo(Kind.FATAL);
    assertThat(refusal.getMessage()).doesNotContain("\n", SECRET);
    return refusal;
  }

  private static PostgresStore.Listener listener(List<RemoteReport> received) {
    return new PostgresStore.Listener() {
      @Override
      public void leased(long until, long wallUntil) {}

      @Override
      public void reported(List<RemoteReport> reports) {
        received.addAll(reports);
      }
    };
  }
}
