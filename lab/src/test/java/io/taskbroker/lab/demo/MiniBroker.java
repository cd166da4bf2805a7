package io.taskbroker.lab.demo;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.ConsumerServiceGrpc.ConsumerServiceImplBase;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.PushTaskRequest;
import io.taskbroker.proto.v1.PushTaskResponse;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetBatchActivationStatusResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusResponse;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.WorkerServiceGrpc;
import io.taskbroker.testkit.TaskTemplate;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// In-memory broker, just enough for a demo to pass or fail. Reads the demo's configuration. Its
/// second argument names a fault.
final class MiniBroker extends ConsumerServiceImplBase {
  private final String config;
  private final String fault;
  private final Map<String, TaskActivation> inFlight = new HashMap<>();
  private final ArrayDeque<TaskActivation> ready = new ArrayDeque<>();
  private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
  private final KafkaProducer<byte[], byte[]> producer;
  private final WorkerServiceGrpc.WorkerServiceStub worker;
  private final boolean push;

  private MiniBroker(String config, String fault) {
    this.config = config;
    this.fault = fault;
    push = option("delivery_mode").equals("push");
    producer =
        new KafkaProducer<>(
            Map.<String, Object>of("bootstrap.servers", option("address")),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    worker = WorkerServiceGrpc.newStub(channel(URI.create(option("demo"))));
  }

  public static void main(String[] args) throws Exception {
    String fault = args.length > 1 ? args[1] : "";
    if (fault.equals("no-start")) {
      System.err.println("will not start");
      System.exit(4);
    }
    new MiniBroker(Files.readString(Path.of(args[0])), fault).run();
  }

  private void run() throws Exception {
    try (var database = DriverManager.getConnection("jdbc:sqlite:" + option("path"));
        var statement = database.createStatement()) {
      statement.execute("CREATE TABLE inflight_taskactivations (id TEXT)");
      if (fault.equals("row")) {
        statement.execute("INSERT INTO inflight_taskactivations VALUES ('left')");
      }
    }
    var health = new HealthStatusManager();
    health.setStatus(ConsumerServiceGrpc.SERVICE_NAME, ServingStatus.NOT_SERVING);
    var port = Integer.parseInt(option("grpc_port"));
    Server server =
        NettyServerBuilder.forAddress(address(port))
            .addService(this)
            .addService(health.getHealthService())
            .build()
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
    var settings =
        Map.<String, Object>of(
            "bootstrap.servers",
            option("address"),
            "group.id",
            option("consumer_group"),
            "auto.offset.reset",
            "earliest");
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(DemoSetting.TOPIC));
      while (!server.isShutdown()) {
        if (!consumer.assignment().isEmpty()) { // tasks published from here on are read at once
          health.setStatus(ConsumerServiceGrpc.SERVICE_NAME, ServingStatus.SERVING);
        }
        for (var message : consumer.poll(Duration.ofMillis(100))) {
          take(TaskActivation.parseFrom(message.value()));
        }
        consumer.commitSync();
      }
    }
  }

  private synchronized void take(TaskActivation task) {
    Instant received =
        Instant.ofEpochSecond(task.getReceivedAt().getSeconds(), task.getReceivedAt().getNanos());
    if (task.hasExpires() && received.plusSeconds(task.getExpires()).isBefore(Instant.now())) {
      return;
    }
    int number = TaskTemplate.numberOf(task);
    if (fault.equals("lose") && number == 7) {
      return;
    }
    if (fault.equals("die") && number == 7) {
      Runtime.getRuntime().halt(5);
    }
    if (inFlight.putIfAbsent(task.getId(), task) != null) {
      return;
    }
    Instant due = received.plusSeconds(fault.equals("early") ? 0 : task.getDelay());
    long wait = Duration.between(Instant.now(), due).toMillis();
    if (wait >= 0) {
      var _ = timers.schedule(() -> deliver(task), wait + 1, TimeUnit.MILLISECONDS);
    } else {
      deliver(task);
    }
    if (fault.equals("twice") && number == 7) {
      deliver(task);
    }
  }

  private synchronized void deliver(TaskActivation task) {
    if (inFlight.containsKey(task.getId())) {
      ready.add(task);
      pushReady();
    }
  }

  private void pushReady() {
    while (push && !ready.isEmpty()) {
      TaskActivation task = ready.remove();
      var request = PushTaskRequest.newBuilder().setTask(task).build();
      awaitDeadline(task);
      worker.pushTask(request, new Ignored());
    }
  }

  private void awaitDeadline(TaskActivation task) {
    var _ =
        timers.schedule(
            () -> deliver(task), task.getProcessingDeadlineDuration(), TimeUnit.SECONDS);
  }

  @Override
  public void getTask(GetTaskRequest request, StreamObserver<GetTaskResponse> reply) {
    TaskActivation task = next();
    if (task == null) {
      reply.onError(Status.NOT_FOUND.asRuntimeException());
      return;
    }
    answer(reply, GetTaskResponse.newBuilder().setTask(task).build());
  }

  private synchronized @Nullable TaskActivation next() {
    TaskActivation task = ready.poll();
    if (task != null) {
      awaitDeadline(task);
    }
    return task;
  }

  @Override
  public void setTaskStatus(
      SetTaskStatusRequest request, StreamObserver<SetTaskStatusResponse> reply) {
    report(request);
    answer(reply, SetTaskStatusResponse.getDefaultInstance());
  }

  @Override
  public void setBatchActivationStatus(
      SetBatchActivationStatusRequest request,
      StreamObserver<SetBatchActivationStatusResponse> reply) {
    request.getUpdatesList().forEach(this::report);
    answer(reply, SetBatchActivationStatusResponse.getDefaultInstance());
  }

  private synchronized void report(SetTaskStatusRequest report) {
    TaskActivation task = inFlight.remove(report.getId());
    if (task == null) {
      return;
    }
    switch (report.getStatus()) {
      case TASK_ACTIVATION_STATUS_RETRY -> {
        var retry = task.toBuilder().setId(task.getId() + "-1").setDelay(report.getDelayOnRetry());
        retry.setReceivedAt(TaskTemplate.timestamp(Instant.now()));
        retry.getRetryStateBuilder().setAttempts(task.getRetryState().getAttempts() + 1);
        var _ = producer.send(new ProducerRecord<>(DemoSetting.TOPIC, retry.build().toByteArray()));
      }
      case TASK_ACTIVATION_STATUS_FAILURE -> {
        if (task.getRetryState().getOnAttemptsExceeded()
            == OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER) {
          var _ =
              producer.send(
                  new ProducerRecord<>(DemoSetting.DEAD_LETTER_TOPIC, task.toByteArray()));
        }
      }
      default -> {}
    }
  }

  private static <T> void answer(StreamObserver<T> reply, T response) {
    reply.onNext(response);
    reply.onCompleted();
  }

  /// Value of the first such key.
  private String option(String key) {
    Matcher matcher =
        Pattern.compile("^ *" + key + ": *'?([^'\n]+)'?$", Pattern.MULTILINE).matcher(config);
    if (!matcher.find()) {
      throw new IllegalStateException("No " + key + " in\n" + config);
    }
    return matcher.group(1);
  }

  private static ManagedChannel channel(URI uri) {
    return NettyChannelBuilder.forAddress(address(uri.getPort())).usePlaintext().build();
  }

  private static InetSocketAddress address(int port) {
    return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
  }

  private static final class Ignored implements StreamObserver<PushTaskResponse> {
    @Override
    public void onNext(PushTaskResponse response) {}

    @Override
    public void onError(Throwable e) {
      System.err.println("push failed: " + e.getMessage());
    }

    @Override
    public void onCompleted() {}
  }
}
