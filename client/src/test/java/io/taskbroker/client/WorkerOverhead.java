package io.taskbroker.client;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// Program that measures what the worker costs beside a bare stream client, which only answers.
///
/// `WorkerOverhead HOST:PORT ROUNDS TASKS`: each round runs so many tasks by each, in turn.
final class WorkerOverhead {
  private static final int SLOTS = 2_000;

  record Payload(String text) {}

  private static final Task<Payload> TASK =
      Task.of("nothing", Payload.class).retry(RetryPolicy.none().thenDiscard());

  private WorkerOverhead() {}

  public static void main(String[] args) throws Exception {
    int rounds = Integer.parseInt(args[1]);
    int tasks = Integer.parseInt(args[2]);
    try (TaskClient client = TaskClient.connect(args[0])) {
      for (int round = 1; round <= rounds; round++) {
        enqueue(client, tasks);
        measure("bare", round, tasks, done -> bare(args[0], done));
        enqueue(client, tasks);
        measure("worker", round, tasks, done -> worker(client, done));
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
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var done = new CountDownLatch(tasks);
    long cpu = system.getProcessCpuTime();
    long bytes = threads.getTotalThreadAllocatedBytes();
    long start = System.nanoTime();
    run.until(done);
    double seconds = (System.nanoTime() - start) / 1e9;
    double micros = (system.getProcessCpuTime() - cpu) / 1e3 / tasks;
    System.out.printf(
        "%-6s round %d: %,7.0f tasks/s, %.1f us of CPU and %,d bytes a task%n",
        what,
        round,
        tasks / seconds,
        micros,
        (threads.getTotalThreadAllocatedBytes() - bytes) / tasks);
  }

  private static void worker(TaskClient client, CountDownLatch done) throws Exception {
    try (Worker worker =
        Worker.builder(client).slots(SLOTS).handle(TASK, payload -> done.countDown()).start()) {
      done.await();
      assert worker.isConnected();
    }
  }

  private static void bare(String address, CountDownLatch done) throws Exception {
    ManagedChannel channel =
        Grpc.newChannelBuilder(address, InsecureChannelCredentials.create())
            .directExecutor()
            .build();
    var answers = new Answers(done);
    StreamObserver<WorkerMessage> requests = WorkerServiceGrpc.newStub(channel).work(answers);
    answers.requests = requests;
    requests.onNext(
        WorkerMessage.newBuilder().setHello(Hello.newBuilder().setSlots(SLOTS)).build());
    done.await();
    synchronized (answers) {
      requests.onNext(
          WorkerMessage.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance()).build());
      requests.onCompleted();
    }
    channel.shutdown();
  }

  private static final class Answers implements StreamObserver<BrokerMessage> {
    private final CountDownLatch done;
    @Nullable StreamObserver<WorkerMessage> requests;
    private long number;

    Answers(CountDownLatch done) {
      this.done = done;
    }

    @Override
    public synchronized void onNext(BrokerMessage message) {
      StreamObserver<WorkerMessage> to = requests;
      if (to == null || !message.hasDeliveries()) {
        return;
      }
      number++;
      Results.Builder results = Results.newBuilder().setNumber(number);
      List<Delivery> deliveries = new ArrayList<>(message.getDeliveries().getDeliveriesList());
      for (Delivery each : deliveries) {
        results.addResults(
            Result.newBuilder()
                .setId(each.getTask().getId())
                .setToken(each.getToken())
                .setCompleted(Completed.getDefaultInstance()));
      }
      to.onNext(WorkerMessage.newBuilder().setResults(results).build());
      deliveries.forEach(each -> done.countDown());
    }

    @Override
    public void onError(Throwable error) {
      error.printStackTrace();
    }

    @Override
    public void onCompleted() {}
  }
}
