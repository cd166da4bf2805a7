package io.taskbroker.client.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.client.spi.Attempt;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Task;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Slots and reports of pull and push workers. Thread-safe.
abstract class ContractSource implements WorkSource {
  private static final Logger log = LoggerFactory.getLogger(ContractSource.class);

  final BrokerConnection broker;
  final WorkerOptions options;
  private final RunningTasks tasks;
  private final Counts counts;
  private final ContractReports reports;
  private final Semaphore slots;
  private volatile boolean draining;

  ContractSource(
      BrokerConnection broker,
      ScheduledExecutorService timer,
      WorkerOptions options,
      RunningTasks tasks,
      Counts counts) {
    this.broker = broker;
    this.options = options;
    this.tasks = tasks;
    this.counts = counts;
    this.reports = new ContractReports(broker.consumers(), timer);
    this.slots = new Semaphore(options.most());
  }

  @Override
  public void drain() {
    draining = true;
  }

  final boolean isDraining() {
    return draining;
  }

  final Semaphore slots() {
    return slots;
  }

  /// Whether no more slots are taken than may be used now.
  final boolean hasRoom() {
    return options.most() - slots.availablePermits() <= options.slotsNow();
  }

  /// Runs a task; the caller has acquired its slot.
  final void run(TaskActivation activation) {
    Task task;
    try {
      // The fields of both messages have the same numbers.
      task = Task.parseFrom(activation.toByteString());
    } catch (InvalidProtocolBufferException e) {
      log.error("Could not read task {}", activation.getId(), e);
      slots.release();
      return;
    }
    Delivery delivery = Delivery.newBuilder().setTask(task).build();
    Attempt attempt = tasks.attempt(delivery, running -> {});
    if (!tasks.start(attempt, this::ended)) {
      slots.release();
    }
  }

  private void ended(Attempt attempt, Result result) {
    counts.ended(result);
    reports.add(attempt, result);
    slots.release();
  }

  @Override
  public void close(Duration timeout) throws InterruptedException {
    draining = true;
    reports.close(timeout);
  }

  @Override
  public String target() {
    return broker.target();
  }
}
