package io.taskbroker.testkit;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/// A real Postgres server on a free local port; its binaries come from the class path. Thread-safe.
public final class PostgresServer implements AutoCloseable {
  /// Role of the users that an encrypted server authenticates by certificate.
  public static final String CERTIFIED = "certified";

  private static final AtomicInteger DATABASES = new AtomicInteger();

  /// The ten seconds of the library are few on a busy machine.
  private static final Duration START = Duration.ofSeconds(60);

  private final Path folder;
  private final Map<String, String> settings;
  private final int port;
  private EmbeddedPostgres server;

  private PostgresServer(Path folder, Map<String, String> settings) throws IOException {
    this.folder = folder;
    this.settings = settings;
    this.port = Ports.free();
    this.server = run(port);
  }

  /// The shared server of this process, started on first use and stopped with the process.
  public static PostgresServer shared() {
    return Shared.SERVER;
  }

  /// A separate server, for tests that stop or configure it.
  ///
  /// @param settings as in `postgresql.conf`
  public static PostgresServer start(Map<String, String> settings) {
    try {
      return new PostgresServer(Files.createTempDirectory("postgres"), Map.copyOf(settings));
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start Postgres", e);
    }
  }

  /// A server that accepts only TLS connections. Its certificate is for 127.0.0.1. A client with a
  /// certificate of the authority for a user in the role [#CERTIFIED] is authenticated as that
  /// user; the superuser needs no password, all others do.
  ///
  /// @param folder for its certificate and key, and the authority's certificate
  public static PostgresServer startEncrypted(Path folder, CertificateAuthority authority) {
    CertificateAuthority.Issued own = authority.issue(folder, "postgres-server", "127.0.0.1");
    Path access = folder.resolve("pg_hba.conf");
    try {
      Files.writeString(
          access,
          """
          hostssl all postgres all trust
          hostssl all +%s all cert
          hostssl all all all scram-sha-256
          """
              .formatted(CERTIFIED));
    } catch (IOException e) {
      throw new UncheckedIOException("Could not set up Postgres in " + folder, e);
    }
    PostgresServer server =
        start(
            Map.of(
                "ssl", "on",
                "ssl_cert_file", own.certificate().toString(),
                "ssl_key_file", own.key().toString(),
                "ssl_ca_file", authority.write(folder.resolve("postgres-clients.pem")).toString(),
                "hba_file", access.toString()));
    server.database("postgres").execute("CREATE ROLE " + CERTIFIED);
    return server;
  }

  /// Creates an empty database.
  public Database newDatabase() {
    Database database = unmadeDatabase();
    makeDatabase(database);
    return database;
  }

  /// Creates the database, empty.
  public void makeDatabase(Database database) {
    database("postgres").execute("CREATE DATABASE " + database.name());
  }

  /// A name for a database that does not exist.
  public Database unmadeDatabase() {
    return database("test_" + DATABASES.incrementAndGet());
  }

  /// Stops the server process and all its connections, in fast mode.
  public synchronized void stop() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException("Could not stop Postgres", e);
    }
  }

  /// Restarts the server on its data and its port.
  public synchronized void startAgain() {
    try {
      server = run(port);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start Postgres again", e);
    }
  }

  /// The same as a standby, which is read-only until it is promoted.
  public synchronized void startAgainAsStandby() {
    try {
      Files.createFile(folder.resolve("data").resolve("standby.signal"));
    } catch (IOException e) {
      throw new UncheckedIOException("Could not make a standby of Postgres", e);
    }
    startAgain();
  }

  /// Promotes a standby to primary.
  public void promote() {
    database("postgres").execute("SELECT pg_promote()");
  }

  /// Copies the data of a stopped server, or restores such a copy: the state of a standby that
  /// lacks the last transactions, or of a backup.
  ///
  /// @param copy a folder; created if missing, else restored
  public synchronized void rewind(Path copy) {
    Path data = folder.resolve("data");
    try {
      if (Files.exists(copy)) {
        Folders.delete(data);
        Folders.copy(copy, data);
      } else {
        Folders.copy(data, copy);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not copy the data of Postgres", e);
    }
  }

  @Override
  public void close() {
    stop();
  }

  /// A handle on the database of that name, which need not exist.
  public Database database(String name) {
    return new Database("127.0.0.1", port, name, "postgres", "postgres");
  }

  private EmbeddedPostgres run(int onPort) throws IOException {
    EmbeddedPostgres.Builder builder =
        EmbeddedPostgres.builder()
            .setDataDirectory(folder.resolve("data"))
            .setOverrideWorkingDirectory(folder.resolve("binaries").toFile())
            .setCleanDataDirectory(false)
            .setServerConfig("synchronous_commit", "on");
    settings.forEach(builder::setServerConfig);
    return builder.setPort(onPort).setPGStartupWait(START).start();
  }

  /// Connection parameters of a database, for its superuser.
  public record Database(String host, int port, String name, String username, String password) {
    public String url() {
      return "jdbc:postgresql://" + host + ":" + port + "/" + name;
    }

    public Connection connect() throws SQLException {
      return DriverManager.getConnection(url(), username, password);
    }

    /// Executes statements one by one.
    public void execute(String... statements) {
      try (Connection connection = connect();
          Statement statement = connection.createStatement()) {
        for (String sql : statements) {
          statement.execute(sql);
        }
      } catch (SQLException e) {
        throw new IllegalStateException("Could not execute statements in " + name, e);
      }
    }
  }

  private static final class Shared {
    static final PostgresServer SERVER = start(Map.of());

    static {
      Runtime.getRuntime().addShutdownHook(new Thread(SERVER::stop));
    }
  }
}
