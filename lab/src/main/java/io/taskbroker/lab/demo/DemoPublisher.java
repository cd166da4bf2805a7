package io.taskbroker.lab.demo;

import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.errors.InterruptException;

/// Publisher of the tasks of a plan, in order, on its own thread.
final class DemoPublisher implements AutoCloseable {
  private static final int PARAMETER_BYTES = 400;
  private static final long STOP_MILLIS = 5_000;

  private final DemoPlan plan;
  private final TaskProducer producer;
  private final int rate;
  private final Thread thread;
  private volatile boolean closed;

  /// @param rate tasks per second; 0 for as many as possible
  DemoPublisher(DemoPlan plan, TaskProducer producer, int rate) {
    this.plan = plan;
    this.producer = producer;
    this.rate = rate;
    thread = Thread.ofPlatform().name("demo-publisher").daemon().unstarted(this::publish);
  }

  void start() {
    thread.start();
  }

  private void publish() {
    // New ids each time: the ids of an earlier demo would be duplicates.
    var template =
        new TaskTemplate(
            DemoSetting.APPLICATION, "demo", "demo.sleep", PARAMETER_BYTES, System.nanoTime());
    long startedAt = System.nanoTime();
    try {
      for (int number = 0; number < plan.tasks() && !closed; number++) {
        if (rate > 0) {
          awaitTurn(startedAt + number * TimeUnit.SECONDS.toNanos(1) / rate);
        }
        producer.send(number, plan.task(number, template));
      }
      producer.flush();
    } catch (InterruptException _) {
      // Closed concurrently.
    }
  }

  private void awaitTurn(long turn) {
    long wait = turn - System.nanoTime();
    while (wait > 0 && !closed) {
      LockSupport.parkNanos(this, wait);
      wait = turn - System.nanoTime();
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
