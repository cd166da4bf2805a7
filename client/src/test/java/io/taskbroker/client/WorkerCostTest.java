package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.taskbroker.client.WorkerOverhead.Payload;
import io.taskbroker.client.codec.PayloadCodec;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Results;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a task costs in the worker beyond a bare client of the stream, in counts, which are the
/// same on a slow or busy machine. The bound of bytes is a fifth above their number when it was
/// set; those of messages and switches are several times theirs, since they depend on how much ends
/// at the same time.
@Timeout(240)
final class WorkerCostTest {
  private static final int SLOTS = 1_000;
  private static final int TASKS = 20_000;
  private static final int MANY_RESULTS = 100;

  private long number;

  /// Tasks that are delivered as slots become free, until none is left.
  private static final class Load implements AutoCloseable {
    private final List<Delivery> tasks;
    private final ScriptedBroker broker;
    private int next;
    private int messages;

    Load(List<Delivery> tasks) throws Exception {
      this.tasks = tasks;
      this.broker = new ScriptedBroker(this::onResults);
    }

    private synchronized void onResults(Results results) {
      messages++;
      broker.acknowledge(results);
      deliver(results.getResultsCount());
    }

    synchronized void deliver(int count) {
      int end = Math.min(next + count, tasks.size());
      if (end > next) {
        broker.deliver(tasks.subList(next, end));
        next = end;
      }
    }

    synchronized int messages() {
      return messages;
    }

    @Override
    public void close() {
      broker.close();
    }
  }

  private record Cost(long bytes, double messages, double switches) {}

  private interface Client {
    void run(String address, CountDownLatch done) throws Exception;
  }

  @Test
  void aTaskCostsLittleMoreThanInABareClient() throws Exception {
    Client bare = (address, done) -> BareWorker.run(address, SLOTS, done);
    Client worker =
        (address, done) -> {
          try (TaskClient client = TaskClient.connect(address)) {
            WorkerOverhead.worker(client, SLOTS, done);
          }
        };
    for (int i = 0; i < 2; i++) {
      measure(bare);
      measure(worker);
    }
    Cost less = measure(bare);
    Cost more = measure(worker);
    assertThat(more.bytes - less.bytes).as("bytes a task").isLessThan(3_700);
    assertThat(more.messages).as("messages a task").isLessThan(0.02);
    assertThat(more.switches - less.switches).as("thread switches a task").isLessThan(0.2);
  }

  private Cost measure(Client client) throws Exception {
    var done = new CountDownLatch(TASKS);
    try (Load load = new Load(deliveries(TASKS))) {
      Thread first =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  load.broker.awaitWorker();
                  load.deliver(SLOTS);
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      ProcessUsage before = ProcessUsage.now();
      client.run(load.broker.address(), done);
      ProcessUsage used = ProcessUsage.now().since(before);
      first.join();
      return new Cost(
          used.allocatedBytes() / TASKS,
          (double) load.messages() / TASKS,
          (double) used.switches() / TASKS);
    }
  }

  @Test
  void resultsWaitWhileTwoMessagesAreUnansweredUnlessTheyAreMany() throws Exception {
    BlockingQueue<Results> received = new LinkedBlockingQueue<>();
    try (ScriptedBroker broker = new ScriptedBroker(received::add);
        TaskClient client = TaskClient.connect(broker.address());
        Worker worker =
            Worker.builder(client)
                .slots(SLOTS)
                .handle(WorkerOverhead.TASK, payload -> {})
                .start()) {
      broker.awaitWorker();
      Results first = afterDelivery(broker, 1, received);
      Results second = afterDelivery(broker, 1, received);
      int few = MANY_RESULTS / 2;
      broker.deliver(deliveries(few));
      awaitEnd(worker, 2 + few);
      assertThat(received).as("messages while two are unanswered").isEmpty();
      broker.acknowledge(first);
      Results third = next(received);
      assertThat(third.getResultsCount()).isEqualTo(few);

      broker.deliver(deliveries(SLOTS));
      awaitEnd(worker, 2 + few + SLOTS);
      List<Results> unanswered = new ArrayList<>(List.of(second, third));
      int left = SLOTS;
      do {
        Results many = next(received);
        unanswered.add(many);
        assertThat(many.getResultsCount()).isGreaterThanOrEqualTo(MANY_RESULTS);
        left -= many.getResultsCount();
      } while (left >= MANY_RESULTS && !received.isEmpty());
      unanswered.forEach(broker::acknowledge);
      while (left > 0) {
        Results more = next(received);
        left -= more.getResultsCount();
        broker.acknowledge(more);
      }
      assertThat(left).isZero();
    }
  }

  private Results afterDelivery(ScriptedBroker broker, int count, BlockingQueue<Results> received)
      throws InterruptedException {
    broker.deliver(deliveries(count));
    Results results = next(received);
    assertThat(results.getResultsCount()).isEqualTo(count);
    return results;
  }

  private static Results next(BlockingQueue<Results> received) throws InterruptedException {
    Results results = received.poll(60, TimeUnit.SECONDS);
    assertThat(results).as("results within 20 s").isNotNull();
    return results;
  }

  private static void awaitEnd(Worker worker, int completed) {
    await().until(() -> worker.counts().completed() == completed && worker.running() == 0);
  }

  private List<Delivery> deliveries(int count) {
    List<Delivery> deliveries = new ArrayList<>();
    ByteString arguments =
        ByteString.copyFrom(PayloadCodec.json().encode(new Payload("x".repeat(85))));
    for (int i = 0; i < count; i++) {
      number++;
      deliveries.add(
          Delivery.newBuilder()
              .setTask(
                  io.taskbroker.protocol.v1.Task.newBuilder()
                      .setId(new UUID(7, number).toString())
                      .setName(WorkerOverhead.TASK.name())
                      .setNamespace(WorkerOverhead.TASK.namespace())
                      .setApplication(WorkerOverhead.TASK.application())
                      .putHeaders("content-type", "application/json")
                      .setArguments(arguments)
                      .setDeadlineSeconds(30))
              .setToken(AttemptToken.newBuilder().setEpoch(1).setNumber(number))
              .build());
    }
    return deliveries;
  }
}
