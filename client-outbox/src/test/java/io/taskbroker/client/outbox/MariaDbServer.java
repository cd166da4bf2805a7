package io.taskbroker.client.outbox;

import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.mariadb.jdbc.MariaDbDataSource;

/// A MariaDB of the tests, in a folder: the one below `-Dmariadb.home` (`/usr` if not given), which
/// has `sbin/mariadbd` and `bin/mariadb-install-db`.
final class MariaDbServer implements AutoCloseable {
  private static final String HOME = System.getProperty("mariadb.home", "/usr");

  private final Process process;
  private final int port = Ports.free();

  MariaDbServer(Path dir) throws IOException, InterruptedException {
    Path data = dir.resolve("data");
    Path log = dir.resolve("log");
    run(
        log,
        HOME + "/bin/mariadb-install-db",
        "--no-defaults",
        "--basedir=" + HOME,
        "--datadir=" + data,
        "--auth-root-authentication-method=normal",
        "--skip-test-db");
    process =
        start(
            log,
            HOME + "/sbin/mariadbd",
            "--no-defaults",
            "--basedir=" + HOME,
            "--datadir=" + data,
            "--user=" + System.getProperty("user.name"),
            "--socket=" + dir.resolve("socket"),
            "--bind-address=127.0.0.1",
            "--port=" + port,
            "--innodb-buffer-pool-size=16M");
    try {
      await()
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptionsInstanceOf(SQLException.class)
          .until(
              () -> {
                dataSource("mysql").getConnection().close();
                return true;
              });
    } catch (RuntimeException e) {
      close();
      throw new IllegalStateException("MariaDB did not start:\n" + Files.readString(log), e);
    }
  }

  private static Process start(Path log, String... command) throws IOException {
    return new ProcessBuilder(List.of(command))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  private static void run(Path log, String... command) throws IOException, InterruptedException {
    if (start(log, command).waitFor() != 0) {
      throw new IllegalStateException(
          command[0] + " failed; -Dmariadb.home says where it is:\n" + Files.readString(log));
    }
  }

  /// A new database.
  MariaDbDataSource newDatabase(String name) throws SQLException {
    try (var connection = dataSource("mysql").getConnection();
        var statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    }
    return dataSource(name);
  }

  private MariaDbDataSource dataSource(String database) throws SQLException {
    return new MariaDbDataSource(
        "jdbc:mariadb://127.0.0.1:%d/%s?user=root&password=".formatted(port, database));
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
