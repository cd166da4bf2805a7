package io.taskbroker.client;

import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/// Program that measures what the worker costs beside a bare stream client, which only answers.
///
/// `WorkerOverhead HOST:PORT ROUNDS TASKS`: each round runs so many tasks by each, in turn.
final class WorkerOverhead {
  private static final int SLOTS = 2_000;

  record Payload(String text) {}

  static final Task<Payload> TASK =
      Task.of("nothing", Payload.class).retry(RetryPolicy.none().thenDiscard());

  private WorkerOverhead() {}

  public static void main(String[] args) throws Exception {
    int rounds = Integer.parseInt(args[1]);
    int tasks = Integer.parseInt(args[2]);
    try (TaskClient client = TaskClient.connect(args[0])) {
      for (int round = 1; round <= rounds; round++) {
        enqueue(client, tasks);
        measure("bare", round, tasks, done -> BareWorker.run(args[0], SLOTS, done));
        enqueue(client, tasks);
        measure("worker", round, tasks, done -> worker(client, SLOTS, done));
      }
    }
    System.exit(0);
  }

  private interface Run {
    void until(CountDownLatch done) throws Exception;
  }

  private static void enqueue(TaskClient client, int tasks) {
    List<TaskCall<Payload>> calls =
        Collections.nCopies(tasks, TASK.with(new Payload("x".repeat(85))));
    client.enqueueAll(calls);
  }

  private static void measure(String what, int round, int tasks, Run run) throws Exception {
    var done = new CountDownLatch(tasks);
    ProcessUsage before = ProcessUsage.now();
    long start = System.nanoTime();
    run.until(done);
    double seconds = (System.nanoTime() - start) / 1e9;
    ProcessUsage used = ProcessUsage.now().since(before);
    System.out.printf(
        "%-6s round %d: %,7.0f tasks/s, %.1f us of CPU, %,d bytes and %.3f thread switches a"
            + " task%n",
        what,
        round,
        tasks / seconds,
        used.cpuNanos() / 1e3 / tasks,
        used.allocatedBytes() / tasks,
        (double) used.switches() / tasks);
  }

  /// Runs tasks of [#TASK] until the latch, which each counts down, is open.
  static void worker(TaskClient client, int slots, CountDownLatch done) throws Exception {
    try (Worker worker =
        Worker.builder(client).slots(slots).handle(TASK, payload -> done.countDown()).start()) {
      done.await();
      assert worker.isConnected();
    }
  }
}
