package io.taskbroker.client.outbox;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/// Database whose client dies at one of its calls: statements and commits, of which it counts those
/// of all connections. Not thread-safe.
final class CrashingDatabase {
  private static final Set<String> STEPS =
      Set.of("execute", "executeQuery", "executeUpdate", "executeBatch", "commit");

  /// What happens to the connection.
  interface Death {
    void come(Connection connection) throws SQLException;
  }

  /// As if the process were gone: the connection is, without a commit, and every later call fails.
  static final Death OF_CLIENT =
      connection -> {
        if (!connection.getAutoCommit()) {
          connection.rollback(); // as the server does when the connection is gone
        }
        connection.close();
        throw new Killed();
      };

  private final DataSource source;
  private final int deadAt;
  private final boolean before;
  private final Death death;
  private int steps;
  private boolean dead;

  /// @param deadAt number of the call that kills, from 1
  /// @param before whether it dies before the call has an effect, otherwise after it
  CrashingDatabase(DataSource source, int deadAt, boolean before, Death death) {
    this.source = source;
    this.deadAt = deadAt;
    this.before = before;
    this.death = death;
  }

  /// Thrown through the application: its process is gone.
  static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  DataSource dataSource() {
    return proxy(DataSource.class, source, null);
  }

  private <T> T proxy(Class<T> type, T target, @Nullable Connection owner) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              if (dead) {
                if (method.getName().equals("close")) {
                  return null;
                }
                throw new Killed();
              }
              boolean step = STEPS.contains(method.getName()) && ++steps == deadAt;
              if (step && before) {
                die(owner != null ? owner : (Connection) target);
              }
              Object result;
              try {
                result = method.invoke(target, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
              if (step) {
                die(owner != null ? owner : (Connection) target);
              }
              return wrapped(result, target instanceof Connection connection ? connection : owner);
            }));
  }

  private @Nullable Object wrapped(@Nullable Object result, @Nullable Connection owner) {
    return switch (result) {
      case null -> null;
      case Connection connection -> proxy(Connection.class, connection, null);
      case PreparedStatement statement -> proxy(PreparedStatement.class, statement, owner);
      case Statement statement -> proxy(Statement.class, statement, owner);
      default -> result;
    };
  }

  private void die(Connection connection) throws SQLException {
    try {
      death.come(connection);
    } catch (Killed e) {
      dead = true;
      throw e;
    }
  }
}
