package io.taskbroker.lab.smoke;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One start of the broker. Used once, by one thread.
///
/// A chain of starts shares topic and store. Each but the last publishes [#LEFT] tasks that only
/// the worker of the next start can run. They precede its own tasks in the only partition, so they
/// are in the store when its own are done.
final class SmokeRun {
  private static final String NAME = "smoke";
  private static final int LEFT = 50;
  private static final Duration TASK_TIME = Duration.ofMillis(10);
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private final EmbeddedKafka kafka;
  private final Path state;
  private final Map<String, String> store;
  private final Path log;
  private final String topic;
  private final int number;
  private final int tasks;
  private final boolean chained;
  private final int port = Ports.free();
  private final int metricsPort = Ports.free();
  private final ExecutionLog executions;

  /// A start that did its work.
  ///
  /// @param result with 0 as the time of the stop
  /// @param broker still running
  record Served(SmokeResult result, SmokedBroker broker) {}

  /// @param store variables that name the store; empty for a SQLite file of the run or chain
  /// @param number from 1
  /// @param chained whether topic and store are those of the run before
  SmokeRun(
      Path dir,
      EmbeddedKafka kafka,
      Map<String, String> store,
      int number,
      int tasks,
      boolean chained) {
    this.kafka = kafka;
    this.store = store;
    this.number = number;
    this.tasks = tasks;
    this.chained = chained;
    this.topic = NAME + "-" + (chained ? 1 : number);
    this.state = dir.resolve("state").resolve(topic);
    this.log = dir.resolve("broker.log");
    this.executions = new ExecutionLog(tasks + (chained && number > 1 ? LEFT : 0));
  }

  /// Starts the broker and lets it run the tasks.
  ///
  /// @param former broker that shares the store and is stopped once this one is ready; null if none
  ///   runs
  /// @throws IllegalStateException with the end of the broker's log, if it does not do its work
  Served perform(List<String> command, @Nullable SmokedBroker former) throws InterruptedException {
    openFolder();
    kafka.createTopicIfMissing(topic, 1);
    kafka.createTopicIfMissing(topic + "-dlq", 1);
    publish();
    var options = WorkerOptions.of("127.0.0.1:" + port);
    try (var worker = PushWorker.start(options, Behaviour.completing(TASK_TIME), executions)) {
      SmokedBroker broker = SmokedBroker.start(command, environment(worker.url()), log);
      try {
        return new Served(serve(broker, former), broker);
      } catch (IllegalStateException e) {
        broker.close();
        throw e;
      }
    }
  }

  private SmokeResult serve(SmokedBroker broker, @Nullable SmokedBroker former)
      throws InterruptedException {
    long started = executions.now();
    broker.awaitReady(metricsPort, TIMEOUT);
    long ready = executions.now();
    if (former != null) {
      former.stop();
    }
    broker.await("did not deliver a task", TIMEOUT, () -> executions.starts() > 0);
    broker.await(
        "did not complete all tasks",
        TIMEOUT,
        () -> executions.completedTasks() == executions.tasks());
    return new SmokeResult(
        millis(ready - started),
        millis(executions.deliveredAt(0) - started),
        broker.cpuMillis(),
        0,
        broker.residentKilobytes());
  }

  private void publish() {
    try (var producer = new TaskProducer(kafka.bootstrap(), topic, executions)) {
      if (chained) {
        publish(producer, application(number + 1), tasks, LEFT);
      }
      publish(producer, application(number), 0, tasks);
      producer.flush();
      if (producer.failed() > 0) {
        throw new IllegalStateException("Kafka did not take the tasks");
      }
    }
  }

  private static void publish(TaskProducer producer, String application, int first, int count) {
    var template =
        new TaskTemplate(application, NAME, "smoke.task", 64, application.hashCode() + first);
    for (int task = first; task < first + count; task++) {
      producer.send(task, template.task(task).build());
    }
  }

  private static String application(int number) {
    return NAME + "-" + number;
  }

  private Map<String, String> environment(String worker) {
    Map<String, String> sqlite =
        Map.of("TASKBROKER_STORE__SQLITE__PATH", state.resolve("store.sqlite").toString());
    var environment = new HashMap<>(store.isEmpty() ? sqlite : store);
    environment.putAll(common(worker));
    return environment;
  }

  private Map<String, String> common(String worker) {
    return Map.ofEntries(
        Map.entry("SMOKE_RUN", Integer.toString(number)),
        Map.entry("TASKBROKER_DELIVERY_MODE", "push"),
        Map.entry("TASKBROKER_WORKER_MAP", "{" + application(number) + "=" + worker + "}"),
        Map.entry("TASKBROKER_GRPC_ADDR", "127.0.0.1"),
        Map.entry("TASKBROKER_GRPC_PORT", Integer.toString(port)),
        Map.entry("TASKBROKER_METRICS_ADDR", "127.0.0.1:" + metricsPort),
        Map.entry("TASKBROKER_KAFKA_CLUSTER", kafka.bootstrap()),
        Map.entry("TASKBROKER_KAFKA_TOPIC", topic),
        Map.entry("TASKBROKER_KAFKA_CONSUMER_GROUP", topic),
        Map.entry("TASKBROKER_KAFKA_DEADLETTER_TOPIC", topic + "-dlq"),
        Map.entry("TASKBROKER_KAFKA_AUTO_OFFSET_RESET", "earliest"));
  }

  private void openFolder() {
    try {
      Files.createDirectories(state);
      Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwxrwxrwx"));
    } catch (IOException e) {
      throw new UncheckedIOException("Could not make the folder " + state, e);
    }
  }

  private static long millis(long nanos) {
    return Duration.ofNanos(nanos).toMillis();
  }
}
