package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.store.CommitOptions;
import io.taskbroker.store.Rows;
import io.taskbroker.store.StoreCommitter;
import io.taskbroker.store.sqlite.SqliteOptions;
import io.taskbroker.store.sqlite.SqliteStore;
import io.taskbroker.telemetry.Metrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Commands that the engine receives about a real store.
@Timeout(240)
final class CommitListenerTest {
  private final List<Command> commands = Collections.synchronizedList(new ArrayList<>());

  @TempDir private Path dir;

  /// The delete follows within the report interval: without a later report the store would look
  /// full for ever.
  @Test
  void sizeIsReportedAfterTheLastCommit() {
    try (var store = SqliteStore.open(new SqliteOptions(dir.resolve("store.sqlite"), 0))) {
      var committer =
          new StoreCommitter(
              store,
              CommitOptions.defaults(),
              new CommitListener(
                  store, new RecordingSink(), "dead-letters", new Metrics(), _ -> {}),
              (stage, cause) -> {
                throw new AssertionError(stage, cause);
              });
      committer.start();
      committer.submit(List.of(new Change.Insert(row(), null)), List.of());
      await().until(() -> !sizes().isEmpty() && sizes().getLast() > 1_000_000);
      committer.submit(
          List.of(new Change.Delete(1, "large", Rows.ORIGIN, Row.NONE, null)), List.of());
      await().untilAsserted(() -> assertThat(sizes().getLast()).isLessThan(500_000));
      committer.stop();
    }
  }

  private List<Long> sizes() {
    synchronized (commands) {
      return commands.stream()
          .filter(Command.StoreSizeMeasured.class::isInstance)
          .map(command -> ((Command.StoreSizeMeasured) command).bytes())
          .toList();
    }
  }

  private static Row row() {
    var activation =
        new Activation(
            "large",
            "app",
            "ns",
            "task",
            new byte[1_000_000],
            new Origin("tasks", 0, 0),
            0,
            Activation.NEVER,
            0,
            0,
            FailurePolicy.DISCARD,
            false,
            false);
    return Row.arriving(1, activation, Status.PENDING, 0);
  }

  private final class RecordingSink implements CommandSink {
    @Override
    public void request(Command.Request request) {
      throw new AssertionError("A store requests nothing");
    }

    @Override
    public void submit(Command command) {
      commands.add(command);
    }
  }
}
