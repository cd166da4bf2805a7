package io.taskbroker.store.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.taskbroker.store.postgres.PostgresOptions.Address;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Properties;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.jdbc.PreferQueryMode;

/// Factory of connections to the server of a store. Thread-safe.
final class Server {
  private static final int STATEMENT_MILLIS = 30_000;
  private static final int POOL_SIZE = 4;

  private final Address address;
  private final Login login;
  private final int idleInTransactionMillis;
  private final Optional<PostgresSchema> schema;

  Server(Address address, Login login, int idleInTransactionMillis) {
    this(address, login, idleInTransactionMillis, Optional.empty());
  }

  private Server(
      Address address, Login login, int idleInTransactionMillis, Optional<PostgresSchema> schema) {
    this.address = address;
    this.login = login;
    this.idleInTransactionMillis = idleInTransactionMillis;
    this.schema = schema;
  }

  /// The same server with a `search_path` that names the schema, whatever the role has configured.
  Server in(PostgresSchema found) {
    return new Server(address, login, idleInTransactionMillis, Optional.of(found));
  }

  /// Opens a connection outside the pool, in auto-commit mode.
  ///
  /// @param name the application name in the server statistics
  /// @param socketSeconds the socket timeout
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

  /// Opens a connection to a database of the server, with no session settings.
  Connection plain(Login as, String database) throws SQLException {
    return connect(url(database), properties(as));
  }

  /// Opens a connection to a database of the server for long-running work, without timeouts.
  Connection longRunning(Login as, String database) throws SQLException {
    Connection connection = plain(as, database);
    try (Statement statement = connection.createStatement()) {
      statement.execute(longRunningSettings());
    } catch (SQLException e) {
      close(connection);
      throw e;
    }
    return connection;
  }

  /// Opens a connection that leaves no state behind in a session which a pooler may share: no
  /// prepared statements, no settings.
  Connection probe(Login as) throws SQLException {
    Properties properties = properties(as);
    PGProperty.PREFER_QUERY_MODE.set(properties, PreferQueryMode.SIMPLE.value());
    return connect(url(address.database()), properties);
  }

  /// Creates a small connection pool for infrequent statements. It connects on demand.
  HikariDataSource pool(String name) {
    HikariConfig config = new HikariConfig();
    Properties properties = properties(login);
    PGProperty.APPLICATION_NAME.set(properties, name);
    PGProperty.SOCKET_TIMEOUT.set(properties, 2 * STATEMENT_MILLIS / 1000);
    config.setJdbcUrl(url(address.database()));
    config.setDriverClassName(Driver.class.getName());
    config.setDataSourceProperties(properties);
    config.setPoolName(name);
    config.setMaximumPoolSize(POOL_SIZE);
    config.setMinimumIdle(0);
    config.setIdleTimeout(60_000);
    config.setKeepaliveTime(0); // an idle broker sends nothing
    config.setConnectionTimeout(10_000);
    config.setInitializationFailTimeout(-1);
    config.setConnectionInitSql(settings());
    config.setExceptionOverride(new ConnectionEviction());
    return new HikariDataSource(config);
  }

  private String url(String database) {
    return "jdbc:postgresql://" + address.host() + ":" + address.port() + "/" + database;
  }

  private Properties properties(Login as) {
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
      // Closing the socket ends the session anyway.
    }
  }

  /// Session settings for long-running work: no timeouts, writes allowed.
  private String longRunningSettings() {
    return """
    SET statement_timeout = 0;
    SET lock_timeout = 0;
    SELECT set_config('idle_session_timeout', '0', false)
    WHERE current_setting('idle_session_timeout', true) IS NOT NULL;
    SELECT set_config('transaction_timeout', '0', false)
    WHERE current_setting('transaction_timeout', true) IS NOT NULL;
    SET idle_in_transaction_session_timeout = 0;
    SET default_transaction_read_only = off;
    SET default_transaction_isolation = 'read committed';
    SET standard_conforming_strings = on;
    SET array_nulls = on;
    %s\
    """
        .formatted(schema.map(found -> "SET search_path = " + found.quoted() + ";\n").orElse(""));
  }

  /// Session settings of the broker, which override those of the server, the role and the database.
  /// Commits are flushed to disk (G1, G2). Plans use indexes, whatever the statistics say of tables
  /// that fill and empty all the time. Only our own timeouts end a session.
  private String settings() {
    return longRunningSettings()
        + """
        SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') IN ('off', 'local');
        SET jit = off;
        SET enable_seqscan = off;
        SET enable_indexscan = on;
        SET enable_hashjoin = off;
        SET enable_mergejoin = off;
        SET enable_nestloop = on;
        SET plan_cache_mode = force_generic_plan;
        SET statement_timeout = %d;
        SET idle_in_transaction_session_timeout = %d
        """
            .formatted(STATEMENT_MILLIS, idleInTransactionMillis);
  }

  private static Connection connect(String url, Properties properties) throws SQLException {
    Connection connection = new Driver().connect(url, properties);
    if (connection == null) {
      throw new SQLException("Not a Postgres URL: " + url);
    }
    return connection;
  }
}
