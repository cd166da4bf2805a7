package io.taskbroker.client.outbox;

import static org.awaitility.Awaitility.await;

import com.mysql.cj.jdbc.MysqlDataSource;
import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.mariadb.jdbc.MariaDbDataSource;

/// A MySQL or MariaDB of the tests, in a folder, from what is installed.
final class MySqlServer implements AutoCloseable {
  private interface Driver {
    DataSource connect(String address) throws SQLException;
  }

  private final Process process;
  private final Driver driver;
  private final int port = Ports.free();

  private MySqlServer(Path dir, Driver driver, List<String> setup, List<String> server)
      throws IOException, InterruptedException {
    this.driver = driver;
    Path log = dir.resolve("log");
    String data = "--datadir=" + dir.resolve("data");
    if (start(log, setup, List.of(data)).waitFor() != 0) {
      throw new IllegalStateException(setup + " failed:\n" + Files.readString(log));
    }
    process =
        start(
            log,
            server,
            List.of(
                data,
                "--socket=" + dir.resolve("socket"),
                "--pid-file=" + dir.resolve("pid"),
                "--bind-address=127.0.0.1",
                "--port=" + port,
                "--innodb-buffer-pool-size=16M"));
    try {
      await()
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptionsInstanceOf(SQLException.class)
          .until(() -> {
            if (!process.isAlive()) {
              throw new IllegalStateException("It ended");
            }
            dataSource("mysql").getConnection().close();
            return true;
          });
    } catch (RuntimeException e) {
      close();
      throw new IllegalStateException("The database did not start:\n" + Files.readString(log), e);
    }
  }

  /// The MariaDB below `-Dmariadb.home` (`/usr` if not given), which has `sbin/mariadbd` and
  /// `bin/mariadb-install-db`.
  static MySqlServer mariaDb(Path dir) throws IOException, InterruptedException {
    String home = System.getProperty("mariadb.home", "/usr");
    String base = "--basedir=" + home;
    return new MySqlServer(
        dir,
        address -> new MariaDbDataSource("jdbc:mariadb://" + address + "?user=root&password="),
        List.of(
            home + "/bin/mariadb-install-db",
            "--no-defaults",
            base,
            "--auth-root-authentication-method=normal",
            "--skip-test-db"),
        List.of(home + "/sbin/mariadbd", "--no-defaults", base, user()));
  }

  /// The MySQL whose server is the program `-Dmysql.server` (`mysqld` if not given).
  static MySqlServer mySql(Path dir) throws IOException, InterruptedException {
    String program = System.getProperty("mysql.server", "mysqld");
    return new MySqlServer(
        dir,
        MySqlServer::mySqlSource,
        List.of(program, "--no-defaults", "--initialize-insecure", user()),
        List.of(program, "--no-defaults", "--mysqlx=OFF", "--secure-file-priv=NULL", user()));
  }

  private static DataSource mySqlSource(String address) {
    var source = new MysqlDataSource();
    source.setUrl("jdbc:mysql://" + address);
    source.setUser("root");
    return source;
  }

  private static String user() {
    return "--user=" + System.getProperty("user.name");
  }

  private static Process start(Path log, List<String> command, List<String> options)
      throws IOException {
    List<String> all = new ArrayList<>(command);
    all.addAll(options);
    return new ProcessBuilder(all)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  /// A new database.
  DataSource newDatabase(String name) throws SQLException {
    try (var connection = dataSource("mysql").getConnection();
        var statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    }
    return dataSource(name);
  }

  private DataSource dataSource(String database) throws SQLException {
    return driver.connect("127.0.0.1:" + port + "/" + database);
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
