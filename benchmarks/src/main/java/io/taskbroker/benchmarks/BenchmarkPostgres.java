package io.taskbroker.benchmarks;

import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Postgres server of the installed programs with a new, empty cluster and default settings except
/// for the address: commits are durable.
final class BenchmarkPostgres implements AutoCloseable {
  static final String USER = "postgres";

  private static final Duration START = Duration.ofSeconds(30);
  private static final Path DEBIAN = Path.of("/usr/lib/postgresql");

  private final ChildProcess server;
  private final int port;
  private final Path data;

  private BenchmarkPostgres(ChildProcess server, int port, Path data) {
    this.server = server;
    this.port = port;
    this.data = data;
  }

  /// Folder of the programs; empty if Postgres is not installed.
  static Optional<Path> programs() {
    var places = new ArrayList<Path>();
    try (Stream<Path> versions = Files.list(DEBIAN)) {
      versions.sorted().forEach(version -> places.addFirst(version.resolve("bin")));
    } catch (IOException _) {
      // Not Debian.
    }
    for (String place : System.getenv("PATH").split(":", 0)) {
      places.add(Path.of(place));
    }
    return places.stream()
        .filter(place -> Files.isExecutable(place.resolve("initdb")))
        .filter(place -> Files.isExecutable(place.resolve("postgres")))
        .findFirst();
  }

  /// @param dir for the log
  static BenchmarkPostgres start(Path dir) throws InterruptedException {
    Path bin = programs().orElseThrow(() -> new IllegalStateException("Postgres is not installed"));
    try {
      // Postgres refuses to run as root, and its user needs access.
      Path data =
          Files.createTempDirectory(
              "taskbroker-pg",
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxrwxrwx")));
      Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxrwxrwx"));
      Path log = dir.resolve("postgres.log");
      String cluster = data.resolve("data").toString();
      List<String> init =
          asUser(bin.resolve("initdb"), "-D", cluster, "-U", USER, "-A", "trust", "-E", "UTF8");
      try (ChildProcess initdb = ChildProcess.start("initdb", init, Map.of(), log)) {
        initdb.awaitEnd(START);
      }
      int port = Ports.free();
      List<String> run =
          asUser(
              bin.resolve("postgres"),
              "-D",
              cluster,
              "-p",
              Integer.toString(port),
              "-k",
              data.toString(),
              "-c",
              "listen_addresses=127.0.0.1");
      ChildProcess server =
          ChildProcess.start("postgres", run, Map.of(), log).awaitPort(port, START);
      return new BenchmarkPostgres(server, port, data);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not make a directory for Postgres", e);
    }
  }

  private static List<String> asUser(Path program, String... arguments) {
    var command = new ArrayList<String>();
    if (System.getProperty("user.name").equals("root")) {
      command.addAll(List.of("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"));
    }
    command.add(program.toString());
    command.addAll(List.of(arguments));
    return command;
  }

  int port() {
    return port;
  }

  /// A session whose open transaction keeps the current snapshot of the table of activations until
  /// closed.
  Connection holdSnapshot(String database) {
    String url = "jdbc:postgresql://127.0.0.1:%d/%s?user=%s".formatted(port, database, USER);
    try {
      Connection session = DriverManager.getConnection(url);
      session.setAutoCommit(false);
      session.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      try (Statement statement = session.createStatement()) {
        statement.execute("SELECT count(*) FROM inflight_taskactivations");
      }
      return session;
    } catch (SQLException e) {
      throw new IllegalStateException("Could not open a session of Postgres", e);
    }
  }

  List<Long> pids() {
    return server.pids();
  }

  @Override
  public void close() {
    try {
      server.stop(START);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      server.close();
      OutputOptions.delete(data);
    }
  }
}
