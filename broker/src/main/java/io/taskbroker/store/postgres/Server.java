package io.taskbroker.store.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.taskbroker.store.postgres.PostgresOptions.Address;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/// Makes connections to the server of a store. Thread-safe.
final class Server {
  private static final int STATEMENT_MILLIS = 30_000;
  private static final int POOLED = 4;

  private final Address address;
  private final Login login;
  private final int idleInTransactionMillis;

  Server(Address address, Login login, int idleInTransactionMillis) {
    this.address = address;
    this.login = login;
    this.idleInTransactionMillis = idleInTransactionMillis;
  }

  /// A connection of its own, which commits by itself at first.
  ///
  /// @param name by which the server's statistics tell it
  /// @param socketSeconds how long it waits for an answer
  Connection connect(String name, int socketSeconds) throws SQLException {
    Properties properties = properties(login);
    PGProperty.APPLICATION_NAME.set(properties, name);
    PGProperty.SOCKET_TIMEOUT.set(properties, socketSeconds);
    Connection connection = connect(url(address.database()), properties);
    try (Statement statement = connection.createStatement()) {
      statement.execute(settings());
    } catch (SQLException e) {
      close(connection);
      throw e;
    }
    return connection;
  }

  /// A connection to a database of the server, with nothing set.
  Connection plain(Login as, String database) throws SQLException {
    return connect(url(database), properties(as));
  }

  /// The few connections for what is rare. It makes them when they are needed.
  HikariDataSource pool(String name) {
    HikariConfig config = new HikariConfig();
    Properties properties = properties(login);
    PGProperty.APPLICATION_NAME.set(properties, name);
    PGProperty.SOCKET_TIMEOUT.set(properties, 2 * STATEMENT_MILLIS / 1000);
    config.setJdbcUrl(url(address.database()));
    config.setDriverClassName(Driver.class.getName());
    config.setDataSourceProperties(properties);
    config.setPoolName(name);
    config.setMaximumPoolSize(POOLED);
    config.setMinimumIdle(0);
    config.setIdleTimeout(60_000);
    config.setKeepaliveTime(0); // no statement while there is nothing to do
    config.setConnectionTimeout(10_000);
    config.setInitializationFailTimeout(-1);
    config.setConnectionInitSql(settings());
    config.setExceptionOverride(new Eviction());
    return new HikariDataSource(config);
  }

  /// The URL of a database of the server, for whoever makes connections by himself.
  String url(String database) {
    return "jdbc:postgresql://" + address.host() + ":" + address.port() + "/" + database;
  }

  Properties properties(Login as) {
    Properties properties = QueryParameters.of(address.queryParams().orElse(""));
    PGProperty.USER.set(properties, as.username());
    PGProperty.PASSWORD.set(properties, as.password());
    PGProperty.TCP_KEEP_ALIVE.set(properties, true);
    PGProperty.PREPARE_THRESHOLD.set(properties, 2);
    return properties;
  }

  @Override
  public String toString() {
    return "Postgres " + address;
  }

  static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException _) {
      // It ends with its socket.
    }
  }

  /// Durable means on disk, whatever the server thinks (G1, G2), and rows are found by their index,
  /// whatever the statistics say of tables that fill and empty all the time.
  private String settings() {
    return """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local');
    SET default_transaction_isolation = 'read committed';
    SET jit = off;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET plan_cache_mode = force_generic_plan;
    SET statement_timeout = %d;
    SET idle_in_transaction_session_timeout = %d
    """
        .formatted(STATEMENT_MILLIS, idleInTransactionMillis);
  }

  private static Connection connect(String url, Properties properties) throws SQLException {
    Connection connection = new Driver().connect(url, properties);
    if (connection == null) {
      throw new SQLException("No URL of Postgres: " + url);
    }
    return connection;
  }
}
