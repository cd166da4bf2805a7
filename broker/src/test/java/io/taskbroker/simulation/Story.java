package io.taskbroker.simulation;

import com.google.protobuf.Timestamp;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// Script language of a history: events at given times, and expected results. The seed determines
/// everything else: how long messages and transactions take.
final class Story {
  private static final long LOOK = SimulatedWorld.MS / 2;

  final SimulatedWorld world;
  final WorkerScript workers;
  private final Simulation simulation;
  private final List<Runnable> endings = new ArrayList<>();

  Story(Simulation simulation) {
    this.simulation = simulation;
    this.world = simulation.world;
    this.workers = simulation.workers.orders;
  }

  SimulatedBroker broker() {
    return simulation.brokers.getFirst();
  }

  SimulatedKafka kafka() {
    return simulation.kafka;
  }

  /// Schedules an action at that time since the start.
  void at(double seconds, Runnable body) {
    world.after((long) (seconds * SimulatedWorld.SECOND) - world.now(), "script", body);
  }

  /// Runs an action once, as soon as a condition holds, if that is before the end of the faults.
  void when(BooleanSupplier condition, Runnable body) {
    world.after(
        LOOK,
        "look",
        () -> {
          if (condition.getAsBoolean()) {
            body.run();
          } else if (!world.isQuiet()) {
            when(condition, body);
          }
        });
  }

  /// Schedules an action after a delay.
  void after(double seconds, Runnable body) {
    at((double) world.now() / SimulatedWorld.SECOND + seconds, body);
  }

  /// Publishes a task of the application `shop` with a deadline of four seconds, retriable and
  /// dead-lettered, to the first partition.
  byte[] publish(String id) {
    return publish(id, task -> task);
  }

  byte[] publish(String id, UnaryOperator<TaskActivation.Builder> as) {
    byte[] value = as.apply(task(id)).build().toByteArray();
    replay(value);
    return value;
  }

  private TaskActivation.Builder task(String id) {
    return TaskActivation.newBuilder()
        .setId(id)
        .setApplication("shop")
        .setNamespace("ns")
        .setTaskname("work")
        .setProcessingDeadlineDuration(4)
        .setRetryState(state(false))
        .setReceivedAt(time(world.wall()));
  }

  /// Publishes a task to a given partition.
  void publishTo(int partition, String id) {
    simulation.kafka.append(SimulatedKafka.TASKS, partition, task(id).build().toByteArray());
  }

  /// Makes the broker report its payload bytes.
  ///
  /// @param largest maximum size of a task in bytes
  void countBytes(long largest) {
    SimulatedProcess process = broker().run();
    if (process != null) {
      process.count(stats -> process.bounds().counted(stats, largest));
    }
  }

  /// Whether the broker reports that it is ready.
  boolean isReady() {
    SimulatedProcess process = broker().run();
    return process != null && process.isReady();
  }

  /// Publishes an at-most-once task.
  byte[] publishOnce(String id) {
    return publish(id, task -> task.setRetryState(state(true)));
  }

  /// Publishes the bytes of a record again.
  void replay(byte[] value) {
    simulation.kafka.append(SimulatedKafka.TASKS, 0, value);
  }

  static Timestamp time(long millis) {
    return Timestamp.newBuilder()
        .setSeconds(millis / 1_000)
        .setNanos((int) (millis % 1_000) * 1_000_000)
        .build();
  }

  private static RetryState state(boolean once) {
    return RetryState.newBuilder()
        .setMaxAttempts(3)
        .setAtMostOnce(once)
        .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER)
        .build();
  }

  /// Sends a report about a task.
  void report(String id, Status status) {
    SimulatedProcess process = broker().run();
    if (process != null) {
      simulation.workers.report(process, id, status);
    }
  }

  /// Whether the disk has a row of that id.
  boolean isStored(String id) {
    return rows(id) > 0;
  }

  private long rows(String id) {
    return broker().disk.rows().values().stream().filter(row -> isOf(row, id)).count();
  }

  /// Whether a row of that id is being forwarded, on disk.
  boolean isLeaving(String id) {
    return broker().disk.rows().values().stream()
        .anyMatch(row -> isOf(row, id) && row.forwardTo() != null);
  }

  private static boolean isOf(Row row, String id) {
    return row.activation().id().equals(id);
  }

  /// Number of records of a topic.
  long records(String topic) {
    return simulation.kafka.topic(topic).partitions().stream().mapToLong(List::size).sum();
  }

  boolean hasRun(String id) {
    return workers.executions(id) > 0;
  }

  /// Checks a condition now.
  void check(boolean holds, String guarantee, Supplier<String> what) {
    Violation.check(holds, guarantee, what);
  }

  /// Checks a condition at the end.
  void inTheEnd(BooleanSupplier holds, String guarantee, String what) {
    endings.add(() -> check(holds.getAsBoolean(), guarantee, () -> what));
  }

  /// Checks at the end that the task ran this many times.
  void mustRun(String id, int times) {
    endings.add(() ->
        check(
            workers.executions(id) == times,
            times > workers.executions(id) ? "G1" : "G6",
            () -> id + " ran " + workers.executions(id) + " times"));
  }

  void checkEnd() {
    endings.forEach(Runnable::run);
  }
}
