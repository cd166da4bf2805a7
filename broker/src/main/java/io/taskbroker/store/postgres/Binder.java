package io.taskbroker.store.postgres;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/// Positional parameter setter of a statement. Confined to one thread.
final class Binder {
  private final PreparedStatement statement;
  private final PGConnection connection;
  private int index;

  Binder(PreparedStatement statement) throws SQLException {
    this.statement = statement;
    this.connection = statement.getConnection().unwrap(PGConnection.class);
  }

  Binder set(boolean value) throws SQLException {
    statement.setBoolean(++index, value);
    return this;
  }

  Binder set(long value) throws SQLException {
    statement.setLong(++index, value);
    return this;
  }

  Binder set(int value) throws SQLException {
    statement.setInt(++index, value);
    return this;
  }

  Binder set(String value) throws SQLException {
    statement.setString(++index, value);
    return this;
  }

  Binder set(byte[] value) throws SQLException {
    statement.setBytes(++index, value);
    return this;
  }

  Binder set(short[] values) throws SQLException {
    return array("int2", values);
  }

  Binder set(int[] values) throws SQLException {
    return array("int4", values);
  }

  Binder set(long[] values) throws SQLException {
    return array("int8", values);
  }

  Binder set(boolean[] values) throws SQLException {
    return array("bool", values);
  }

  Binder set(@Nullable String[] values) throws SQLException {
    return array("text", values);
  }

  Binder set(byte[] @Nullable [] values) throws SQLException {
    return array("bytea", values);
  }

  private Binder array(String type, Object values) throws SQLException {
    statement.setArray(++index, connection.createArrayOf(type, values));
    return this;
  }
}
