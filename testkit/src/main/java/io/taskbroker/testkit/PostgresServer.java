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
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/// A real Postgres server on a free port of this machine, whose binaries come from the class path.
/// Thread-safe.
public final class PostgresServer implements AutoCloseable {
  /// The role of the users who are known by their certificates, if the server is encrypted.
  public static final String CERTIFIED = "certified";

  private static final AtomicInteger DATABASES = new AtomicInteger();

  private final Path folder;
  private final Map<String, String> settings;
  private final int port;
  private EmbeddedPostgres server;

  private PostgresServer(Path folder, Map<String, String> settings) throws IOException {
    this.folder = folder;
    this.settings = settings;
    this.server = run(0);
    this.port = server.getPort();
  }

  /// The server of this process, started when it is first asked for, and gone with the process.
  public static PostgresServer shared() {
    return Shared.SERVER;
  }

  /// A server of its own, for tests that stop it or set it up otherwise.
  ///
  /// @param settings as in `postgresql.conf`
  public static PostgresServer start(Map<String, String> settings) {
    try {
      return new PostgresServer(Files.createTempDirectory("postgres"), Map.copyOf(settings));
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start Postgres", e);
    }
  }

  /// A server that refuses whoever does not speak TLS with it. Its certificate is for 127.0.0.1.
  /// Whoever the authority signed a certificate for that has the name of a user in the role
  /// [#CERTIFIED] is that user; the superuser needs no password, all others do.
  ///
  /// @param folder for its certificate and its key, and that of the authority
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

  /// A new and empty database.
  public Database newDatabase() {
    Database database = unmadeDatabase();
    makeDatabase(database);
    return database;
  }

  /// Makes the database, empty.
  public void makeDatabase(Database database) {
    database("postgres").execute("CREATE DATABASE " + database.name());
  }

  /// The name of a database that does not exist.
  public Database unmadeDatabase() {
    return database("test_" + DATABASES.incrementAndGet());
  }

  /// Ends the server process and all its connections, fast.
  public synchronized void stop() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException("Could not stop Postgres", e);
    }
  }

  /// Starts the server again on its data and its port.
  public synchronized void startAgain() {
    try {
      server = run(port);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start Postgres again", e);
    }
  }

  /// The same as a standby, which takes no writes until somebody promotes it.
  public synchronized void startAgainAsStandby() {
    try {
      Files.createFile(folder.resolve("data").resolve("standby.signal"));
    } catch (IOException e) {
      throw new UncheckedIOException("Could not make a standby of Postgres", e);
    }
    startAgain();
  }

  /// Makes a primary of a standby.
  public void promote() {
    database("postgres").execute("SELECT pg_promote()");
  }

  /// Copies the data of a server that is stopped, or puts back such a copy: what a standby has that
  /// lacks the last transactions, or a backup.
  ///
  /// @param copy a folder; made, or read if it is there
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

  /// The database of that name, be it there or not.
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
    if (onPort != 0) {
      builder.setPort(onPort);
    }
    return builder.start();
  }

  /// How to reach a database, as its superuser.
  public record Database(String host, int port, String name, String username, String password) {
    public String url() {
      return "jdbc:postgresql://" + host + ":" + port + "/" + name;
    }

    public Connection connect() throws SQLException {
      return DriverManager.getConnection(url(), username, password);
    }

    /// Runs statements one by one.
    public void execute(String... statements) {
      try (Connection connection = connect();
          Statement statement = connection.createStatement()) {
        for (String sql : statements) {
          statement.execute(sql);
        }
      } catch (SQLException e) {
        throw new IllegalStateException("Could not change " + name, e);
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
