package io.taskbroker.client.outbox;

import io.taskbroker.client.TaskClient;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sends calls of an [Outbox] to the broker, at least once, in batches of 500. Any number of
/// processes may run one: by a row lock, only one of them works at a time. A call that the broker
/// refuses for good stays in the table with the `error`; the relay goes on with the others.
///
/// On Postgres it sleeps until a transaction with calls commits, while another relay has the lock
/// for 5 s at most; on other databases it looks at intervals. After an error it pauses for 0.5 to
/// 30 s. It holds a connection while it works, and on Postgres another one to listen. Thread-safe.
public final class OutboxRelay implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(OutboxRelay.class);
  private static final Duration LISTEN = Duration.ofSeconds(1);
  private static final Duration FOLLOW = Duration.ofSeconds(5);
  private static final long FIRST_PAUSE_MS = 500;
  private static final long LONGEST_PAUSE_MS = 30_000;

  private final DataSource source;
  private final OutboxDatabase database;
  private final OutboxBatch batch;
  private final Duration interval;
  private final CountDownLatch stop = new CountDownLatch(1);
  private final Thread thread;

  private OutboxRelay(
      DataSource source, OutboxDatabase database, TaskClient client, Duration interval) {
    this.source = source;
    this.database = database;
    this.interval = interval;
    this.batch = new OutboxBatch(source, database, client);
    this.thread = Thread.ofPlatform().daemon().name("taskbroker-outbox").unstarted(this::run);
  }

  /// Starts a relay that looks every half second where it cannot listen.
  public static OutboxRelay start(DataSource source, OutboxDatabase database, TaskClient client) {
    return start(source, database, client, Duration.ofMillis(500));
  }

  /// @param interval at which it looks where it cannot listen
  public static OutboxRelay start(
      DataSource source, OutboxDatabase database, TaskClient client, Duration interval) {
    OutboxRelay relay = new OutboxRelay(source, database, client, interval);
    relay.thread.start();
    return relay;
  }

  /// Sends all that waits, in the calling thread; for tests, and programs without a relay.
  ///
  /// @return the number of calls
  /// @throws OutboxException if the database fails; calls that were sent may be sent again
  public static int sendAll(DataSource source, OutboxDatabase database, TaskClient client) {
    OutboxBatch batch = new OutboxBatch(source, database, client);
    try {
      int all = 0;
      for (int some = batch.run(); some > 0; some = batch.run()) {
        all += some;
      }
      return all;
    } catch (SQLException e) {
      throw new OutboxException("Could not relay the outbox", e);
    }
  }

  private void run() {
    long pause = FIRST_PAUSE_MS;
    while (!isStopped()) {
      try {
        if (database == OutboxDatabase.POSTGRES) {
          listen();
        } else {
          relayAndWait(null);
        }
        pause = FIRST_PAUSE_MS;
      } catch (SQLException | RuntimeException e) {
        log.warn("Could not relay the outbox; trying again in {} ms", pause, e);
        sleep(pause);
        pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /// Listens first and looks then, so that no commit is missed.
  private void listen() throws SQLException, InterruptedException {
    try (Connection connection = source.getConnection()) {
      connection.setAutoCommit(true);
      PGConnection notified = connection.unwrap(PGConnection.class);
      try (Statement statement = connection.createStatement()) {
        statement.execute("LISTEN " + OutboxDatabase.CHANNEL);
      }
      try {
        while (!isStopped()) {
          relayAndWait(notified);
        }
      } finally {
        try (Statement statement = connection.createStatement()) {
          statement.execute("UNLISTEN *");
        }
      }
    }
  }

  private void relayAndWait(@Nullable PGConnection notified)
      throws SQLException, InterruptedException {
    int done = 1;
    while (!isStopped() && done > 0) {
      done = batch.run();
    }
    if (notified == null) {
      boolean unused = stop.await(interval.toMillis(), TimeUnit.MILLISECONDS);
      return;
    }
    // The leader may end without a word.
    long end =
        done == OutboxBatch.NOT_LEADER ? System.nanoTime() + FOLLOW.toNanos() : Long.MAX_VALUE;
    while (!isStopped() && System.nanoTime() < end) {
      var notifications = notified.getNotifications((int) LISTEN.toMillis());
      if (notifications != null && notifications.length > 0) {
        return;
      }
    }
  }

  private boolean isStopped() {
    return stop.getCount() == 0;
  }

  private void sleep(long millis) {
    try {
      boolean unused = stop.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Finishes the batch that it works on, and stops.
  @Override
  public void close() {
    stop.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
