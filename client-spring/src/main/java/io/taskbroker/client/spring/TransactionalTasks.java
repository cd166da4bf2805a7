package io.taskbroker.client.spring;

import io.taskbroker.client.Task;
import io.taskbroker.client.TaskCall;
import io.taskbroker.client.outbox.Outbox;
import java.sql.Connection;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/// Enqueues calls in the current Spring transaction: they are enqueued if and only if it commits.
/// Thread-safe.
public final class TransactionalTasks {
  private final DataSource source;
  private final Outbox outbox;

  TransactionalTasks(DataSource source, Outbox outbox) {
    this.source = source;
    this.outbox = outbox;
  }

  /// @return the id of the call
  /// @throws IllegalStateException if there is no transaction
  public <T> String enqueue(Task<T> task, T argument) {
    return enqueue(task.with(argument));
  }

  /// @return the id of the call, unless it has a key
  /// @throws IllegalStateException if there is no transaction
  public String enqueue(TaskCall<?> call) {
    if (!TransactionSynchronizationManager.isActualTransactionActive()) {
      throw new IllegalStateException(
          "Could not enqueue "
              + call
              + ": there is no transaction. Add @Transactional, or use TaskClient");
    }
    Connection connection = DataSourceUtils.getConnection(source);
    try {
      return outbox.enqueue(connection, call);
    } finally {
      DataSourceUtils.releaseConnection(connection, source);
    }
  }
}
