package io.taskbroker.lab.demo;

import io.taskbroker.lab.rig.LeftOvers;
import io.taskbroker.lab.rig.Mode;
import io.taskbroker.lab.rig.StopHook;
import io.taskbroker.lab.rig.TaskReader;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/// One demo: Kafka and a worker in this process, the broker in another. Ends within a bounded time
/// after the last progress; deletes nothing. An interrupt stops everything in order.
final class Demo {
  private static final Duration START = Duration.ofSeconds(30);
  private static final Duration STOP = Duration.ofSeconds(12);
  private static final long LOOK_MILLIS = 200;
  private static final int REPORT_BATCH = 256;
  private static final int MAX_PROBLEMS = 20;

  private final DemoSetting setting;
  private final DemoOptions options;
  private final UnaryOperator<BrokerLaunch> adjustment;
  private final PrintWriter out;
  private final boolean terminal;
  private final DemoPlan plan;
  private final ExecutionLog log;
  private final StopHook hook;
  private final CountDownLatch stop;

  /// @param adjustment changes the launch of the broker
  Demo(
      DemoSetting setting,
      DemoOptions options,
      UnaryOperator<BrokerLaunch> adjustment,
      PrintWriter out,
      boolean terminal) {
    this.setting = setting;
    this.options = options;
    this.adjustment = adjustment;
    this.out = out;
    this.terminal = terminal;
    plan = new DemoPlan(options.tasks(), options.millis(), options.seed());
    log = new ExecutionLog(options.tasks());
    hook = StopHook.install(out);
    stop = hook.asked();
  }

  /// Runs the demo; returns 0 if every task is accounted for.
  int run() throws InterruptedException {
    try (hook) {
      return runUntilStopped();
    }
  }

  private int runUntilStopped() throws InterruptedException {
    print(
        "%,d tasks of %d ms, mode %s, seed %d"
            .formatted(options.tasks(), options.millis(), setting.mode(), options.seed()));
    print("directory  %s".formatted(setting.dir()));
    try (var kafka = EmbeddedKafka.start(setting.kafka())) {
      kafka.createTopic(DemoSetting.TOPIC, DemoSetting.PARTITIONS);
      kafka.createTopic(DemoSetting.DEAD_LETTER_TOPIC, 1);
      print(
          "Kafka      %s, topics %s and %s"
              .formatted(kafka.bootstrap(), DemoSetting.TOPIC, DemoSetting.DEAD_LETTER_TOPIC));
      return setting.mode() == Mode.PUSH ? push(kafka) : pull(kafka);
    }
  }

  private int push(EmbeddedKafka kafka) throws InterruptedException {
    try (var worker = PushWorker.start(workerOptions().withReportBatch(REPORT_BATCH), plan, log)) {
      print("worker     %s".formatted(worker.url()));
      try (var broker = startBroker(kafka, worker.url())) {
        return serves(broker) ? check(kafka, broker) : 1;
      }
    }
  }

  private int pull(EmbeddedKafka kafka) throws InterruptedException {
    try (var broker = startBroker(kafka, "http://127.0.0.1:1")) {
      if (!serves(broker)) {
        return 1;
      }
      try (var _ = PullWorker.start(workerOptions(), DemoSetting.APPLICATION, plan, log)) {
        return check(kafka, broker);
      }
    }
  }

  private WorkerOptions workerOptions() {
    return WorkerOptions.of(setting.brokerAddress()).withConcurrency(2 * setting.concurrency());
  }

  private BrokerProcess startBroker(EmbeddedKafka kafka, String workerUrl) {
    try {
      setting.writeConfig(kafka.bootstrap(), workerUrl);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not write " + setting.config(), e);
    }
    var launch =
        BrokerLaunch.ofThisClassPath(setting.config(), setting.brokerPort(), setting.brokerLog());
    return BrokerProcess.start(adjustment.apply(launch));
  }

  private boolean serves(BrokerProcess broker) throws InterruptedException {
    try {
      broker.awaitServing(START);
      print("broker     %s, process %d".formatted(broker.address(), broker.pid()));
      return true;
    } catch (IllegalStateException e) {
      print(String.valueOf(e.getMessage()));
      return false;
    }
  }

  private int check(EmbeddedKafka kafka, BrokerProcess broker) throws InterruptedException {
    try (var letters =
            TaskReader.of(kafka.bootstrap(), DemoSetting.DEAD_LETTER_TOPIC, plan.tasks());
        var producer = new TaskProducer(kafka.bootstrap(), DemoSetting.TOPIC, log);
        var publisher = new DemoPublisher(plan, producer, options.rate())) {
      publisher.start();
      String end = await(broker, letters);
      long uncommitted =
          setting
              .leftOvers(kafka.bootstrap())
              .uncommitted(end.isEmpty() ? options.patience() : Duration.ZERO, stop);
      var result = new DemoResult(plan, log, letters);
      if (!end.isEmpty()) {
        result.add(end);
      }
      if (producer.failed() > 0) {
        result.add(producer.failed() + " tasks could not be published");
      }
      if (uncommitted > 0) {
        result.add(uncommitted + " messages are not committed as consumed");
      }
      if (!options.keepRunning()) {
        stopBroker(broker, result);
      }
      print(result);
      if (options.keepRunning() && !hook.isAsked()) {
        print("still running; press Ctrl-C to stop");
        stop.await();
        broker.stop(STOP);
      }
      return result.problems().isEmpty() ? 0 : 1;
    }
  }

  /// Waits until every task has ended, or nothing progresses.
  ///
  /// @return why the wait ended early; empty if all tasks ended
  private String await(BrokerProcess broker, TaskReader letters) throws InterruptedException {
    int expected = plan.tasks() - plan.count(DemoTaskKind.EXPIRED);
    var progress = new ProgressLine(out, terminal, expected);
    long patience = options.patience().plusMillis(2L * options.millis()).toNanos();
    long moved = System.nanoTime();
    long before = -1;
    try {
      while (!stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        int done = log.completedTasks() + letters.tasks();
        progress.show(done, log.starts() - log.finishes());
        if (done >= expected) {
          return "";
        }
        if (!broker.isAlive()) {
          return "the broker ended with code " + broker.exitCode().orElse(-1);
        }
        long movement = log.starts() + log.finishes() + log.acknowledged() + letters.tasks();
        if (movement != before) {
          before = movement;
          moved = System.nanoTime();
        } else if (System.nanoTime() - moved > patience) {
          return "nothing happened for %d s".formatted(patience / 1_000_000_000);
        }
      }
      return "interrupted";
    } finally {
      progress.end();
    }
  }

  private void stopBroker(BrokerProcess broker, DemoResult result) throws InterruptedException {
    try {
      int code = broker.stop(STOP);
      if (code != 0) {
        result.add("the broker ended with code " + code);
      }
      long rows = LeftOvers.rows(setting.database());
      if (rows > 0) {
        result.add(rows + " tasks are left in the database");
      }
    } catch (IllegalStateException e) {
      result.add(String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  private void print(DemoResult result) {
    out.println();
    out.print(result.table());
    out.println();
    print("database   %s".formatted(setting.database()));
    print("config     %s".formatted(setting.config()));
    print("logs       %s, %s".formatted(setting.brokerLog(), setting.demoLog()));
    out.println();
    List<String> problems = result.problems();
    problems.stream()
        .limit(MAX_PROBLEMS)
        .forEach(problem -> print("PROBLEM: %s".formatted(problem)));
    if (problems.size() > MAX_PROBLEMS) {
      print("and %,d more".formatted(problems.size() - MAX_PROBLEMS));
    }
    print(problems.isEmpty() ? "Every task is accounted for." : "Not every task is accounted for.");
  }

  private void print(String line) {
    out.println(line);
    out.flush();
  }
}
