package io.taskbroker.engine;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Status;
import io.taskbroker.telemetry.Metrics;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Metrics of transactions, named as in the reference. Confined to the committer's thread.
final class CommitCounts {
  private final Metrics metrics;
  private final InstantSource clock;
  private final CounterDataPoint flushed;
  private final CounterDataPoint processingUpdates;
  private final Map<String, Topic> topics = new HashMap<>();
  private boolean failing;

  /// Rows of one topic in a transaction.
  private static final class Topic {
    private int rows;
    private long oldest = Long.MAX_VALUE;
  }

  CommitCounts(Metrics metrics, InstantSource clock) {
    this.metrics = metrics;
    this.clock = clock;
    this.flushed = metrics.flushes.of("ok");
    this.processingUpdates = metrics.marked.of("ok");
  }

  void committed(List<Change> changes, long nanos) {
    double seconds = nanos / 1e9;
    metrics.commitDuration.observe(seconds);
    metrics.commitChanges.observe(changes.size());
    if (failing) {
      failing = false;
      metrics.storeRecoveries.of("commit").inc();
    }
    int completed = 0;
    int failed = 0;
    int retried = 0;
    int processing = 0;
    topics.clear();
    for (Change change : changes) {
      switch (change) {
        case Change.Insert insert -> countArrival(insert.row().activation());
        case Change.Fire fire -> countArrival(fire.row().activation());
        case Change.Delete _ -> completed++;
        case Change.Forward forward when forward.status() == Status.RETRY -> retried++;
        case Change.Forward _ -> failed++;
        case Change.Retry _ -> retried++;
        case Change.UpdateStatus update when update.status() == Status.PROCESSING -> processing++;
        case Change.UpdateStatus _,
            Change.ConfirmOffset _,
            Change.ChangeDelay _,
            Change.ChangePriority _,
            Change.AdvanceWatermark _,
            Change.OffsetCommitted _ -> {}
      }
    }
    processingUpdates.inc(processing);
    if (completed + failed + retried > 0) {
      flushed.inc();
      countEnded(Status.COMPLETE, completed);
      countEnded(Status.FAILURE, failed);
      countEnded(Status.RETRY, retried);
    }
    countStored(seconds);
  }

  private void countArrival(Activation activation) {
    Topic topic = topics.computeIfAbsent(activation.origin().topic(), _ -> new Topic());
    topic.rows++;
    topic.oldest = Math.min(topic.oldest, activation.receivedAt());
  }

  private void countEnded(Status status, int tasks) {
    if (tasks > 0) {
      metrics.flushRequested.of(status.storedName()).observe(tasks);
      metrics.flushUpdated.of(status.storedName()).inc(tasks);
    }
  }

  private void countStored(double seconds) {
    if (topics.isEmpty()) {
      return;
    }
    long now = clock.millis();
    topics.forEach((name, topic) -> {
      metrics.writeToStore.of(name).observe(seconds);
      metrics.insertLag.of(name).observe(Math.max(0, now - topic.oldest) / 1_000.0);
      metrics.stored.of(name).inc(topic.rows);
    });
  }

  /// Counts a failed transaction.
  ///
  /// @param again whether the same batch is retried
  void failed(List<Change> changes, boolean again) {
    if (again) {
      failing = true;
      metrics.storeAttempts.of("commit").inc();
    }
    boolean ends = false;
    topics.clear();
    for (Change change : changes) {
      if (change instanceof Change.Insert insert) {
        countArrival(insert.row().activation());
      } else {
        ends |= change instanceof Change.Delete || change instanceof Change.Forward;
      }
    }
    if (ends) {
      metrics.flushes.of("error").inc();
    }
    topics.keySet().forEach(topic -> metrics.writeFailed.of(topic).inc());
  }

  void maintained(long nanos) {
    metrics.vacuum.of("meta").observe(nanos / 1e9);
  }
}
