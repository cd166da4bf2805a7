package io.taskbroker.lab.soak;

import io.taskbroker.cli.Main;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// The real broker, with code in its process that leaks memory, threads and files, logs an error,
/// and deletes tasks from the database that exist nowhere else.
final class Saboteur {
  private static final int TURNS_A_SECOND = 2;
  private static final int LEAK_BYTES = 2 << 20;
  private static final int MAX_TURNS = 90;
  private static final int FILES_A_TURN = 3;
  private static final int STOLEN_AT_A_TIME = 2;

  private static final List<Object> LEAKED = new ArrayList<>();

  private Saboteur() {}

  /// @param args database and configuration
  public static void main(String[] args) {
    Thread.ofPlatform().name("saboteur").daemon().start(() -> sabotage(Path.of(args[0])));
    Main.main(new String[] {"serve", "--config", args[1]});
  }

  private static void sabotage(Path database) {
    System.err.println("2026-01-01T00:00:00.000Z ERROR Saboteur: planted");
    var never = new CountDownLatch(1);
    try {
      while (!steal(database)) {
        // Nothing to delete before there are tasks.
        var _ = never.await(1_000 / TURNS_A_SECOND, TimeUnit.MILLISECONDS);
      }
      for (int turn = 0; turn < MAX_TURNS; turn++) {
        LEAKED.add(new byte[LEAK_BYTES]);
        for (int i = 0; i < FILES_A_TURN; i++) {
          LEAKED.add(new FileInputStream("/dev/null"));
        }
        LEAKED.add(Thread.ofPlatform().daemon().start(() -> await(never)));
        var _ = steal(database);
        var _ = never.await(1_000 / TURNS_A_SECOND, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException | IOException e) {
      throw new IllegalStateException("The saboteur failed", e);
    }
  }

  /// Deletes a parked task, which the broker reads back only when it is due.
  ///
  /// @return whether there was one
  private static boolean steal(Path database) {
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        var statement = connection.createStatement()) {
      return statement.executeUpdate(
              """
              DELETE FROM activation WHERE key IN (
                SELECT key FROM activation WHERE parked_until IS NOT NULL AND taskname = 'soak.task'
                LIMIT %d)
              """
                  .formatted(STOLEN_AT_A_TIME))
          > 0;
    } catch (SQLException _) {
      return false; // Locked, or not created yet.
    }
  }

  private static void await(CountDownLatch never) {
    try {
      never.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
