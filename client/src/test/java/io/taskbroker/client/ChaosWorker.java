package io.taskbroker.client;

import java.nio.file.Path;
import java.time.Duration;

/// The worker of [ChaosTest], in a process of its own that is killed, or in that of the test.
///
/// `ChaosWorker HOST:PORT JOURNAL`. The journal has `begin N` and `end N` for each run.
final class ChaosWorker {
  record Step(String number) {}

  /// Time of one run, so that kills hit tasks that run.
  private static final Duration WORK = Duration.ofMillis(5);

  static final Task<Step> AT_LEAST_ONCE =
      Task.of("step", Step.class).retry(RetryPolicy.fixed(100, Duration.ofMillis(100)));
  static final Task<Step> AT_MOST_ONCE =
      Task.of("single", Step.class).atMostOnce().retry(RetryPolicy.none().thenDiscard());

  private ChaosWorker() {}

  public static void main(String[] args) throws InterruptedException {
    try (RunJournal journal = new RunJournal(Path.of(args[1]));
        TaskClient client = TaskClient.connect(args[0]);
        Worker worker = start(client, journal)) {
      worker.awaitClosed();
    }
  }

  static Worker start(TaskClient client, RunJournal journal) {
    TaskHandler.OfArgument<Step> handler =
        step -> {
          journal.write("begin " + step.number());
          Thread.sleep(WORK);
          journal.write("end " + step.number());
        };
    return Worker.builder(client)
        .slots(20)
        .stopTimeout(Duration.ZERO)
        .handle(AT_LEAST_ONCE, handler)
        .handle(AT_MOST_ONCE, handler)
        .start();
  }
}
