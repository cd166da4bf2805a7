package io.taskbroker.cli;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Cancellation;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Released;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.Slots;
import io.taskbroker.protocol.v1.TaskHeartbeat;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Worker that runs a program for each task of a broker, over a stream that it opens again when it
/// breaks. Thread-safe.
final class ExecWorker {
  private static final int HEARTBEAT_MS = 1_000;
  private static final int MAX_PAUSE_MS = 5_000;
  private static final int STOP_SECONDS = 10;

  /// From SIGTERM to SIGKILL of a program.
  private static final int KILL_SECONDS = 5;

  private static final String PATH = "/taskbroker.v1.WorkerService/Work";

  private final BrokerAddress broker;
  private final Options options;
  private final PrintWriter err;

  /// Attempts whose results are not acknowledged.
  private final Map<AttemptToken, Attempt> attempts = new HashMap<>();

  private @Nullable StreamObserver<WorkerMessage> stream;
  private long number;
  private boolean stopping;

  /// @param command for `/bin/sh`
  /// @param timeout after which a program is stopped
  record Options(
      String application,
      List<String> namespaces,
      int slots,
      String command,
      Optional<Duration> timeout) {}

  ExecWorker(BrokerAddress broker, Options options, PrintWriter err) {
    this.broker = broker;
    this.options = options;
    this.err = err;
  }

  /// One attempt.
  private static final class Attempt {
    final Delivery delivery;
    @Nullable Process process;
    boolean cancelled;
    @Nullable Result result;

    /// Number of the message with the result; 0 if it is not sent on this stream.
    long sentAs;

    Attempt(Delivery delivery) {
      this.delivery = delivery;
    }
  }

  /// Works until [#stop] or until the broker refuses the worker.
  int run() throws InterruptedException {
    ManagedChannel channel = broker.connect();
    try (ScheduledExecutorService heartbeats =
        Executors.newSingleThreadScheduledExecutor(Thread.ofVirtual().factory())) {
      var _ =
          heartbeats.scheduleAtFixedRate(
              this::heartbeat, HEARTBEAT_MS, HEARTBEAT_MS, TimeUnit.MILLISECONDS);
      int failures = 0;
      while (!isStopping()) {
        var call = new Call();
        call.open(channel);
        Status end = call.await();
        if (end.getCode() == Status.Code.UNAUTHENTICATED
            || end.getCode() == Status.Code.INVALID_ARGUMENT
            || end.getCode() == Status.Code.UNIMPLEMENTED) {
          say("the broker refuses this worker: " + end.getDescription());
          return 1;
        }
        failures = call.welcomed ? 0 : failures + 1;
        if (!isStopping()) {
          if (failures <= 1) {
            say("no stream to " + broker.address() + " (" + end.getCode() + "), trying again");
          }
          int most = Math.min(MAX_PAUSE_MS, 200 << Math.min(failures, 5));
          TimeUnit.MILLISECONDS.sleep(most / 2 + ThreadLocalRandom.current().nextInt(most / 2));
        }
      }
      return 0;
    } finally {
      channel.shutdownNow();
    }
  }

  /// Takes no more tasks, waits for those that run, and ends the stream.
  void stop() {
    synchronized (this) {
      stopping = true;
      send(WorkerMessage.newBuilder().setSlots(Slots.newBuilder().setSlots(0)).build());
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
    synchronized (this) {
      try {
        while (!attempts.isEmpty() && stream != null && System.nanoTime() < end) {
          wait(100);
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
      attempts.values().forEach(ExecWorker::killNow);
      if (stream != null) {
        stream.onCompleted();
        stream = null;
      }
    }
  }

  private synchronized boolean isStopping() {
    return stopping;
  }

  private synchronized void heartbeat() {
    Heartbeat.Builder running = Heartbeat.newBuilder();
    attempts.values().stream()
        .filter(attempt -> attempt.result == null)
        .forEach(attempt -> running.addTasks(heartbeat(attempt)));
    if (!attempts.isEmpty()) {
      send(WorkerMessage.newBuilder().setHeartbeat(running).build());
    }
  }

  private static TaskHeartbeat heartbeat(Attempt attempt) {
    return TaskHeartbeat.newBuilder()
        .setId(attempt.delivery.getTask().getId())
        .setToken(attempt.delivery.getToken())
        .build();
  }

  private synchronized void send(WorkerMessage message) {
    if (stream != null) {
      stream.onNext(message);
    }
  }

  private synchronized void deliver(Delivery delivery) {
    var attempt = new Attempt(delivery);
    attempts.put(delivery.getToken(), attempt);
    if (stopping) {
      finish(attempt, result(delivery).setReleased(Released.getDefaultInstance()).build());
    } else {
      Thread.ofVirtual().start(() -> execute(attempt));
    }
  }

  private void execute(Attempt attempt) {
    Result.Builder result = result(attempt.delivery);
    try {
      Process process = startProgram(attempt);
      var output = new ProgramOutput(process.getInputStream());
      if (hasEnded(process)) {
        int code = process.exitValue();
        if (code == 0) {
          result.setCompleted(Completed.newBuilder().setResult(output.await()));
        } else {
          result.setFailed(Failed.newBuilder().setMessage("exit code " + code));
        }
      } else {
        kill(attempt);
        process.waitFor();
        result.setFailed(Failed.newBuilder().setMessage("stopped after its timeout"));
      }
    } catch (IOException e) {
      result.setFailed(Failed.newBuilder().setMessage("cannot run the program: " + e));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      result.setReleased(Released.getDefaultInstance());
    }
    finish(attempt, result.build());
  }

  /// Waits for the end of a program, or for its timeout.
  private boolean hasEnded(Process process) throws InterruptedException {
    if (options.timeout().isEmpty()) {
      process.waitFor();
      return true;
    }
    return process.waitFor(options.timeout().get().toMillis(), TimeUnit.MILLISECONDS);
  }

  private Process startProgram(Attempt attempt) throws IOException {
    var task = attempt.delivery.getTask();
    var builder =
        new ProcessBuilder("/bin/sh", "-c", options.command())
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    AttemptToken token = attempt.delivery.getToken();
    builder.environment().put("TASK_ID", task.getId());
    builder.environment().put("TASK_NAME", task.getName());
    builder.environment().put("TASK_NAMESPACE", task.getNamespace());
    builder
        .environment()
        .put("TASK_ATTEMPT", Integer.toUnsignedString(task.getRetry().getAttempts() + 1));
    builder
        .environment()
        .put("TASK_TOKEN", Long.toUnsignedString(token.getEpoch()) + "-" + token.getNumber());
    Process process = builder.start();
    synchronized (this) {
      attempt.process = process;
      if (attempt.cancelled) {
        kill(attempt);
      }
    }
    // Apart: a program need not read its input before it writes.
    Thread.ofVirtual()
        .start(() -> {
          try (OutputStream in = process.getOutputStream()) {
            task.getArguments().writeTo(in);
          } catch (IOException _) {
            // The program does not read its input.
          }
        });
    return process;
  }

  private static Result.Builder result(Delivery delivery) {
    return Result.newBuilder().setId(delivery.getTask().getId()).setToken(delivery.getToken());
  }

  private synchronized void finish(Attempt attempt, Result result) {
    attempt.result = result;
    sendResult(attempt);
  }

  private void sendResult(Attempt attempt) {
    Result result = attempt.result;
    if (stream != null && result != null) {
      attempt.sentAs = ++number;
      send(
          WorkerMessage.newBuilder()
              .setResults(Results.newBuilder().setNumber(number).addResults(result))
              .build());
    }
  }

  private synchronized void acknowledged(long acknowledged) {
    attempts.values().removeIf(attempt -> attempt.sentAs == acknowledged);
    notifyAll();
  }

  private synchronized void cancel(Cancellation cancellation) {
    Attempt attempt = attempts.get(cancellation.getToken());
    if (attempt != null) {
      kill(attempt);
    }
  }

  /// SIGTERM to a program and its children, and SIGKILL to those that are alive a while later.
  private static void kill(Attempt attempt) {
    attempt.cancelled = true;
    List<ProcessHandle> all = processes(attempt);
    all.forEach(ProcessHandle::destroy);
    CompletableFuture.delayedExecutor(KILL_SECONDS, TimeUnit.SECONDS)
        .execute(() -> all.forEach(ProcessHandle::destroyForcibly));
  }

  private static void killNow(Attempt attempt) {
    attempt.cancelled = true;
    processes(attempt).forEach(ProcessHandle::destroyForcibly);
  }

  private static List<ProcessHandle> processes(Attempt attempt) {
    Process process = attempt.process;
    return process == null
        ? List.of()
        : Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
  }

  private void say(String line) {
    err.println("taskbroker: " + line);
    err.flush();
  }

  /// One stream.
  private final class Call implements StreamObserver<BrokerMessage> {
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile Status end = Status.OK;
    private volatile boolean welcomed;

    void open(ManagedChannel channel) {
      synchronized (ExecWorker.this) {
        stream =
            WorkerServiceGrpc.newStub(channel)
                .withInterceptors(broker.signature(PATH, null))
                .work(this);
        number = 0;
        send(
            WorkerMessage.newBuilder()
                .setHello(
                    Hello.newBuilder()
                        .setApplication(options.application())
                        .addAllNamespaces(options.namespaces())
                        .setSlots(options.slots())
                        .setWorker("pid " + ProcessHandle.current().pid())
                        .setVersion("taskbroker worker"))
                .build());
        heartbeat();
        attempts.values().forEach(ExecWorker.this::sendResult);
      }
    }

    Status await() throws InterruptedException {
      ended.await();
      return end;
    }

    @Override
    public void onNext(BrokerMessage message) {
      switch (message.getMessageCase()) {
        case WELCOME -> welcome();
        case DELIVERIES ->
            message.getDeliveries().getDeliveriesList().forEach(ExecWorker.this::deliver);
        case RESULTS_ACK -> acknowledged(message.getResultsAck().getNumber());
        case CANCELLATIONS ->
            message.getCancellations().getCancellationsList().forEach(ExecWorker.this::cancel);
        case DRAIN, MESSAGE_NOT_SET -> {} // the broker closes the stream
      }
    }

    @Override
    public void onError(Throwable error) {
      end(Status.fromThrowable(error));
    }

    @Override
    public void onCompleted() {
      end(Status.OK);
    }

    private void welcome() {
      welcomed = true;
      say("takes tasks from " + broker.address());
    }

    private void end(Status status) {
      synchronized (ExecWorker.this) {
        stream = null;
        ExecWorker.this.notifyAll();
      }
      end = status;
      ended.countDown();
    }
  }
}
