package io.taskbroker.grpc;

import static io.taskbroker.grpc.RawConnection.block;
import static io.taskbroker.grpc.RawConnection.headers;
import static io.taskbroker.grpc.RawHttp2.frame;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Released;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.Slots;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskHeartbeat;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import io.taskbroker.protocol.v1.UpsertScheduleRequest;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.schedule.Schedules;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/// Clients of `taskbroker.v1` that abuse its streams: what they make the broker hold is bounded,
/// they are ended with a reason, and others are served (G7, G8).
final class StreamAbuseTest extends ServedTest {
  private static final InetAddress ATTACKER = InetAddress.ofLiteral("127.0.0.2");
  private static final byte[] NO_WINDOW = {0, 4, 0, 0, 0, 0};
  private static final byte[] WORK = block(headers("/" + WorkerService.NAME + "/Work"));
  private static final byte[] ENQUEUE = block(headers("/" + TaskService.NAME + "/EnqueueStream"));
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int SETTINGS = 4;
  private static final int ACK = 1;

  private static final int FRAME = 16_000;

  /// Messages of a flood; far more than may be read.
  private static final int MANY = 40_000;

  /// Less than what a client may send before the server has read anything.
  private static final int WINDOW = 900_000;

  /// Unread answers of a stream before nothing is read any more: 1 MiB, 256 bytes or more each, and
  /// 32 KiB that the transport takes before it counts as unread.
  private static final int MOST_ANSWERS = 8_000;

  private final AtomicInteger handled = new AtomicInteger();

  @Test
  void g7AWorkerThatDoesNotReadItsAnswersIsNotReadEither() throws Exception {
    answerAll();
    GrpcServer server = serve(patient(Duration.ofSeconds(3)));
    byte[] results =
        worker(
            WorkerMessage.newBuilder()
                .setResults(
                    Results.newBuilder()
                        .addResults(
                            Result.newBuilder()
                                .setId("a")
                                .setReleased(Released.getDefaultInstance()))));
    assertFloodIsBounded(server, WORK, hello(), results, MOST_ANSWERS);
  }

  @Test
  void g7CancellationsThatAWorkerDoesNotReadAreBounded() throws Exception {
    Heartbeat.Builder unknown = Heartbeat.newBuilder();
    for (int i = 0; i < 1_000; i++) {
      unknown.addTasks(
          TaskHeartbeat.newBuilder().setId("t").setToken(AttemptToken.newBuilder().setNumber(i)));
    }
    intake.onSubmit =
        command -> {
          if (command instanceof Command.WorkerHeartbeat heartbeat) {
            handled.incrementAndGet();
            heartbeat
                .tasks()
                .forEach(task -> heartbeat.session().cancel(task.id(), task.token(), false));
          }
        };
    GrpcServer server = serve(patient(Duration.ofSeconds(3)));
    byte[] heartbeat = worker(WorkerMessage.newBuilder().setHeartbeat(unknown));
    assertFloodIsBounded(server, WORK, hello(), heartbeat, 6);
  }

  @Test
  void g7AnEnqueueStreamThatDoesNotReadIsNotReadEither() throws Exception {
    answerAll();
    GrpcServer server = serve(patient(Duration.ofSeconds(3)));
    byte[] request =
        message(
            EnqueueRequest.newBuilder()
                .addTasks(NewTask.newBuilder().setTask(Task.newBuilder().setName("mail")))
                .build());
    // As many at a time as may be unanswered, without reading an answer.
    byte[] eight = repeated(request, 8);
    try (var connection = new RawConnection(server.port(), ATTACKER, NO_WINDOW)) {
      connection.frame(SETTINGS, ACK, 0, new byte[0]);
      connection.frame(HEADERS, 4, 1, ENQUEUE);
      int sent = 0;
      while (closed("unread") == 0) {
        connection.frame(DATA, 0, 1, eight);
        sent += 8;
        assertThat(sent).isLessThan(MOST_ANSWERS + 16);
        while (handled.get() < sent && closed("unread") == 0) {
          LockSupport.parkNanos(100_000);
        }
      }
    } catch (IOException _) {
      // Closed meanwhile, as it should be.
    }
    await().until(() -> closed("unread") == 1);
  }

  /// Sends a message again and again without reading: few are handled, and the connection is
  /// closed.
  private void assertFloodIsBounded(
      GrpcServer server, byte[] headers, byte[] first, byte[] repeated, int most) throws Exception {
    try (var connection = new RawConnection(server.port(), ATTACKER, NO_WINDOW)) {
      connection.frame(SETTINGS, ACK, 0, new byte[0]); // what the server allows counts
      connection.frame(HEADERS, 4, 1, headers);
      if (first.length > 0) {
        connection.frame(DATA, 0, 1, first);
      }
      Thread sending = Thread.ofPlatform().start(() -> flood(connection, repeated, MANY));
      assertThat(connection.read().end()).isEqualTo("closed");
      sending.join(Duration.ofSeconds(60));
      assertThat(sending.isAlive()).isFalse();
    }
    assertThat(closed("unread")).isEqualTo(1);
    assertThat(handled).as("messages that were handled").hasValueBetween(1, most);
  }

  private static byte[] repeated(byte[] message, int count) {
    var all = new ByteArrayOutputStream();
    for (int i = 0; i < count; i++) {
      all.writeBytes(message);
    }
    return all.toByteArray();
  }

  private static void flood(RawConnection connection, byte[] repeated, int count) {
    byte[] bytes = repeated(repeated, Math.min(count, WINDOW / repeated.length));
    try {
      for (int at = 0; at < bytes.length; at += FRAME) {
        connection.frame(
            DATA, 0, 1, Arrays.copyOfRange(bytes, at, Math.min(at + FRAME, bytes.length)));
      }
    } catch (IOException _) {
      // Closed, as it should be.
    }
  }

  /// The engine is behind: it has not handled what the worker said before.
  @Test
  void g7AWorkerCannotFillTheMailboxOfTheEngine() throws Exception {
    intake.handles = false;
    GrpcServer server = serve(false);
    try (var connection = new RawConnection(server.port())) {
      connection.frame(HEADERS, 4, 1, WORK);
      connection.frame(DATA, 0, 1, hello());
      Command.WorkerOpened opened = (Command.WorkerOpened) intake.nextCommand();
      byte[] slots = worker(WorkerMessage.newBuilder().setSlots(Slots.newBuilder().setSlots(1)));
      for (int i = 0; i < 100; i++) {
        connection.frame(DATA, 0, 1, slots);
      }
      var honest = TaskServiceGrpc.newBlockingStub(connect(server));
      answerAll();
      honest.enqueue(EnqueueRequest.getDefaultInstance());
      assertThat(intake.commands()).as("before the opening is handled").isZero();
      opened.session().handled();
      assertThat(intake.nextCommand()).isInstanceOf(Command.WorkerSlots.class);
      honest.enqueue(EnqueueRequest.getDefaultInstance());
      assertThat(intake.commands()).as("before the first slots are handled").isZero();
      opened.session().handled();
      assertThat(intake.nextCommand()).isInstanceOf(Command.WorkerSlots.class);
    }
  }

  /// Streams that are opened and reset leave nothing behind in the engine.
  @Test
  void g8FloodOfOpenedAndResetStreamsIsClosed() throws Exception {
    GrpcServer server = serve(false);
    try (var connection = new RawConnection(server.port(), ATTACKER, new byte[0])) {
      Thread sending =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  for (int i = 0; i < MANY; i++) {
                    connection.send(frame(HEADERS, 4, 2 * i + 1, WORK));
                    connection.send(frame(DATA, 0, 2 * i + 1, hello()));
                    connection.send(frame(3, 0, 2 * i + 1, new byte[] {0, 0, 0, 8}));
                  }
                } catch (IOException _) {
                  // Closed, as it should be.
                }
              });
      assertThat(connection.read(Integer.MAX_VALUE).end()).isIn("goaway 11", "closed");
      sending.join();
    }
    await().untilAsserted(() -> assertThat(closed("frames") + closed("abuse")).isEqualTo(1));
    await().untilAsserted(() -> assertThat(metrics.workerStreams.get()).isZero());
    await()
        .untilAsserted(() ->
            assertThat(intake.commands(Command.WorkerClosed.class))
                .isEqualTo(intake.commands(Command.WorkerOpened.class))
                .isPositive());
  }

  @Test
  void g7AStreamWithoutAFirstMessageEnds() throws Exception {
    GrpcServer server = serve(patient(Duration.ofSeconds(1)));
    for (byte[] headers : List.of(WORK, ENQUEUE)) {
      try (var connection = new RawConnection(server.port(), ATTACKER, new byte[0])) {
        connection.frame(HEADERS, 4, 1, headers);
        assertThat(connection.read().grpcStatus()).isEqualTo("4");
      }
    }
  }

  @Test
  void g7SlowHeadersOfAStreamCloseItsConnection() throws Exception {
    GrpcServer server = serve(patient(Duration.ofSeconds(1)));
    try (var connection = new RawConnection(server.port(), ATTACKER, new byte[0])) {
      connection.frame(HEADERS, 0, 1, Arrays.copyOf(WORK, 10));
      assertThat(connection.read().end()).isEqualTo("closed");
    }
    assertThat(closed("slow")).isEqualTo(1);
  }

  /// Messages of 4 MiB on streams of workers, each missing its last byte.
  @Test
  void g7IncompleteMessagesOfStreamsShareABudget() throws Exception {
    GrpcServer server = serve(limits(8 << 20, 16 << 20, Duration.ofMinutes(1)));
    try (var connection = new RawConnection(server.port(), ATTACKER, new byte[0])) {
      Thread sending =
          Thread.ofPlatform()
              .start(() -> {
                byte[] chunk = new byte[16_384];
                try {
                  for (int i = 0; i < 64; i++) {
                    connection.send(frame(HEADERS, 4, 2 * i + 1, WORK));
                    connection.frame(DATA, 0, 2 * i + 1, hello());
                    connection.frame(DATA, 0, 2 * i + 1, new byte[] {0, 0, 64, 0, 0});
                    for (int sent = 0; sent < 63; sent++) {
                      connection.frame(DATA, 0, 2 * i + 1, chunk);
                    }
                  }
                } catch (IOException _) {
                  // Closed, as it should be.
                }
              });
      assertThat(connection.read(Integer.MAX_VALUE).end()).isIn("goaway 11", "closed");
      sending.join();
    }
    assertThat(closed("requests")).isEqualTo(1);
  }

  /// Ten thousand invalid tasks in 20 kB, of which each gets an answer with a reason.
  @Test
  void g7GiantBatchesShareABudget() throws Exception {
    long bound = 8 << 20;
    GrpcServer server = serve(limits(bound, 16 << 20, Duration.ofMinutes(1)));
    EnqueueRequest giant =
        EnqueueRequest.newBuilder()
            .addAllTasks(Collections.nCopies(10_000, NewTask.getDefaultInstance()))
            .build();
    var ends = new Ends<EnqueueResponse>();
    StreamObserver<EnqueueRequest> stream =
        TaskServiceGrpc.newStub(connect(server)).enqueueStream(ends);
    for (int i = 0; i < 8; i++) {
      stream.onNext(giant);
    }
    int most = (int) (bound / 2 / (10_000 * 256)) + 1;
    await().until(() -> !intake.requests.isEmpty());
    await().during(Duration.ofMillis(300)).until(() -> intake.requests.size() <= most);
    assertFails(
        () -> TaskServiceGrpc.newBlockingStub(connect(server)).enqueue(giant),
        Status.Code.UNAVAILABLE,
        String.valueOf(Connection.TOO_MANY.getDescription()));
    answerAllThatWait();
    await().until(() -> handled.get() == 8);
    await()
        .ignoreExceptions()
        .untilAsserted(() ->
            assertThat(
                    TaskServiceGrpc.newBlockingStub(connect(server))
                        .enqueue(giant)
                        .getResultsCount())
                .isEqualTo(10_000));
  }

  @Test
  void g7IdleStreamsShareABudget() throws Exception {
    GrpcServer server = serve(limits(64 << 10, 16 << 20, Duration.ofMinutes(1)));
    List<RawConnection> idle = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      var connection = new RawConnection(server.port());
      connection.frame(HEADERS, 4, 1, WORK);
      connection.frame(DATA, 0, 1, hello());
      idle.add(connection);
      assertThat(intake.nextCommand()).isInstanceOf(Command.WorkerOpened.class);
    }
    try (var connection = new RawConnection(server.port())) {
      connection.frame(HEADERS, 4, 1, WORK);
      assertThat(connection.read().grpcStatus())
          .isEqualTo(Integer.toString(Status.Code.UNAVAILABLE.value()));
    }
    assertThat(metrics.workerStreams.get()).isEqualTo(16);
    for (RawConnection each : idle) {
      each.close();
    }
    await().until(() -> metrics.workerStreams.get() == 0);
    Channel channel = connect(server);
    answerAll();
    await()
        .ignoreExceptions()
        .untilAsserted(() ->
            TaskServiceGrpc.newBlockingStub(channel).enqueue(EnqueueRequest.getDefaultInstance()));
  }

  @Test
  void g7UnansweredResultsAreBounded() throws Exception {
    GrpcServer server = serve(false);
    byte[] nothing = worker(results(List.of()));
    try (var connection = new RawConnection(server.port())) {
      connection.frame(HEADERS, 4, 1, WORK);
      connection.frame(DATA, 0, 1, hello());
      flood(connection, nothing, 10_001);
      assertThat(connection.read().grpcStatus())
          .isEqualTo(Integer.toString(Status.Code.UNAVAILABLE.value()));
    }
    assertThat(intake.requests).hasSize(10_000);
  }

  /// Unanswered messages count, however small they are; the broker reads on as it answers.
  @Test
  void g7SmallResultsShareABudget() throws Exception {
    GrpcServer server = serve(limits(256 << 10, 16 << 20, Duration.ofMinutes(1)));
    byte[] nothing = worker(results(List.of()));
    try (var connection = new RawConnection(server.port())) {
      connection.frame(HEADERS, 4, 1, WORK);
      connection.frame(DATA, 0, 1, hello());
      flood(connection, nothing, 5_000);
      assertFewWait(256 << 10);
      answerAllThatWait();
      await().until(() -> handled.get() == 5_000);
    }
  }

  @Test
  void g7SmallEnqueuesShareABudget() throws Exception {
    GrpcServer server = serve(limits(256 << 10, 16 << 20, Duration.ofMinutes(1)));
    byte[] request =
        message(
            EnqueueRequest.newBuilder()
                .addTasks(NewTask.newBuilder().setTask(Task.newBuilder().setName("m")))
                .build());
    try (var connection = new RawConnection(server.port())) {
      for (int stream = 1; stream < 100; stream += 2) {
        connection.frame(HEADERS, 4, stream, ENQUEUE);
      }
      for (int stream = 1; stream < 100; stream += 2) {
        connection.frame(DATA, 0, stream, repeated(request, 16));
      }
      assertFewWait(256 << 10);
      answerAllThatWait();
      await().until(() -> handled.get() == 50 * 16);
    }
  }

  private void assertFewWait(int budget) {
    // Half of the budget for a peer; a message is 512 bytes and more, and each of 50 streams has
    // one.
    int most = budget / 2 / 512 + 50;
    await().until(() -> intake.requests.size() > most / 8);
    await().during(Duration.ofMillis(300)).until(() -> intake.requests.size() <= most);
  }

  private void answerAllThatWait() {
    List<Command.Request> waiting = new ArrayList<>();
    answerAll();
    intake.requests.drainTo(waiting);
    waiting.forEach(intake.answer);
  }

  /// The engine is behind. A heartbeat of a thousand tasks is 150 kB when it is decoded.
  @Test
  void g7HeartbeatsThatAreNotHandledShareABudget() throws Exception {
    intake.handles = false;
    intake.onSubmit =
        command -> {
          if (command instanceof Command.WorkerOpened opened) {
            opened.session().handled();
          }
        };
    GrpcServer server = serve(limits(1 << 20, 16 << 20, Duration.ofMinutes(1)));
    byte[] heartbeat =
        worker(
            heartbeat(Collections.nCopies(1_000, TaskHeartbeat.newBuilder().setId("t").build())));
    try (var connection = new RawConnection(server.port())) {
      for (int stream = 1; stream < 40; stream += 2) {
        connection.frame(HEADERS, 4, stream, WORK);
        connection.frame(DATA, 0, stream, hello());
      }
      for (int stream = 1; stream < 40; stream += 2) {
        connection.frame(DATA, 0, stream, heartbeat);
      }
      assertThat(connection.read(39).grpcStatus())
          .isEqualTo(Integer.toString(Status.Code.UNAVAILABLE.value()));
      assertThat(intake.commands(Command.WorkerHeartbeat.class)).isBetween(2L, 5L);
    }
  }

  /// The store does not answer: what waits for it counts as it is decoded.
  @Test
  void g7RequestsAboutSchedulesShareABudget() throws Exception {
    var waiting =
        new Schedules(
            _ -> {},
            intake,
            new EnqueuedTemplates(),
            false,
            metrics,
            (_, _) -> {},
            SystemContext.system());
    GrpcServer server =
        serve(limits(8 << 20, 16 << 20, Duration.ofMinutes(1)), Optional.of(waiting));
    var schedules = ScheduleServiceGrpc.newStub(connect(server));
    UpsertScheduleRequest large =
        UpsertScheduleRequest.newBuilder()
            .setSchedule(Schedule.newBuilder().setDescription("x".repeat(60_000)))
            .build();
    var ends = new Ends<ScheduleState>();
    for (int i = 0; i < 20; i++) {
      schedules.upsert(large, ends);
    }
    // A request takes a megabyte, of half of the budget.
    for (int i = 0; i < 20 - 5; i++) {
      assertThat(ends.next()).isEqualTo(Status.Code.UNAVAILABLE);
    }
    assertThat(ends.ends).isEmpty();
    waiting.stop();
    for (int i = 0; i < 5; i++) {
      assertThat(ends.next()).as("refused as it stops").isEqualTo(Status.Code.UNAVAILABLE);
    }
    ends.ends.clear();
    schedules.upsert(large, ends);
    assertThat(ends.next()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void g7GreetingsShareABudget() throws Exception {
    GrpcServer server = serve(limits(256 << 10, 16 << 20, Duration.ofMinutes(1)));
    byte[] hello =
        worker(
            hello(Hello.newBuilder().addAllNamespaces(Collections.nCopies(60, "n".repeat(255)))));
    try (var connection = new RawConnection(server.port())) {
      for (int stream = 1; stream < 40; stream += 2) {
        connection.frame(HEADERS, 4, stream, WORK);
        connection.frame(DATA, 0, stream, hello);
      }
      assertThat(connection.read(39).grpcStatus())
          .isEqualTo(Integer.toString(Status.Code.UNAVAILABLE.value()));
      assertThat(intake.commands(Command.WorkerOpened.class)).isBetween(4L, 8L);
    }
    await().until(() -> metrics.workerStreams.get() == 0);
    try (var connection = new RawConnection(server.port())) {
      connection.frame(HEADERS, 4, 1, WORK);
      connection.frame(DATA, 0, 1, hello);
      await().until(() -> metrics.workerStreams.get() == 1);
    }
  }

  @Test
  void g7OversizedMessagesOfWorkersAreRefused() throws Exception {
    GrpcServer server = serve(false);
    Channel channel = connect(server);
    var item = TaskHeartbeat.newBuilder().setId("t").build();
    var result = Result.newBuilder().setReleased(Released.getDefaultInstance()).build();
    WorkerMessage.Builder hello = WorkerMessage.newBuilder().setHello(Hello.getDefaultInstance());
    List<List<WorkerMessage.Builder>> oversized =
        List.of(
            List.of(hello(Hello.newBuilder().setSlots(10_001))),
            List.of(hello(Hello.newBuilder().setSlots(-1))),
            List.of(hello(Hello.newBuilder().setWorker("é".repeat(128)))),
            List.of(hello(Hello.newBuilder().setVersion("v".repeat(256)))),
            List.of(hello(Hello.newBuilder().setApplication("a".repeat(256)))),
            List.of(hello(Hello.newBuilder().addNamespaces("n".repeat(256)))),
            List.of(hello(Hello.newBuilder().addAllNamespaces(Collections.nCopies(65, "n")))),
            List.of(
                hello, WorkerMessage.newBuilder().setSlots(Slots.newBuilder().setSlots(10_001))),
            List.of(hello, results(Collections.nCopies(10_001, result))),
            List.of(hello, results(List.of(Result.getDefaultInstance()))),
            List.of(hello, results(List.of(completed(new byte[(64 << 10) + 1])))),
            List.of(hello, heartbeat(Collections.nCopies(10_001, item))));
    for (List<WorkerMessage.Builder> messages : oversized) {
      var ends = new Ends<BrokerMessage>();
      StreamObserver<WorkerMessage> stream = WorkerServiceGrpc.newStub(channel).work(ends);
      messages.forEach(each -> stream.onNext(each.build()));
      assertThat(ends.next()).as("%s", messages.getLast()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
  }

  private static WorkerMessage.Builder hello(Hello.Builder hello) {
    return WorkerMessage.newBuilder().setHello(hello);
  }

  private static WorkerMessage.Builder results(List<Result> results) {
    return WorkerMessage.newBuilder().setResults(Results.newBuilder().addAllResults(results));
  }

  private static Result completed(byte[] result) {
    return Result.newBuilder()
        .setCompleted(Completed.newBuilder().setResult(ByteString.copyFrom(result)))
        .build();
  }

  private static WorkerMessage.Builder heartbeat(List<TaskHeartbeat> tasks) {
    return WorkerMessage.newBuilder().setHeartbeat(Heartbeat.newBuilder().addAllTasks(tasks));
  }

  @Test
  void g7TooManyTasksInARequestAreRefused() {
    GrpcServer server = serve(false);
    EnqueueRequest request =
        EnqueueRequest.newBuilder()
            .addAllTasks(Collections.nCopies(10_001, NewTask.getDefaultInstance()))
            .build();
    assertFails(
        () -> TaskServiceGrpc.newBlockingStub(connect(server)).enqueue(request),
        Status.Code.INVALID_ARGUMENT,
        "More than 10000 tasks in one request");
  }

  private void answerAll() {
    intake.answer =
        request -> {
          handled.incrementAndGet();
          switch (request) {
            case Command.Enqueue enqueue ->
                enqueue
                    .reply()
                    .done(
                        Collections.nCopies(enqueue.activations().size(), EnqueueOutcome.ACCEPTED));
            case Command.Results results ->
                results
                    .reply()
                    .done(Collections.nCopies(results.results().size(), ResultStatus.UNKNOWN));
            default -> handled.decrementAndGet();
          }
        };
  }

  private long closed(String reason) {
    return (long) metrics.grpcConnectionsClosed.of(reason).get();
  }

  private static byte[] hello() {
    return worker(WorkerMessage.newBuilder().setHello(Hello.newBuilder().setSlots(9)));
  }

  private static byte[] worker(WorkerMessage.Builder message) {
    return message(message.build());
  }

  private static byte[] message(MessageLite message) {
    byte[] bytes = message.toByteArray();
    return RawConnection.message(0, bytes.length, bytes);
  }

  private static GrpcOptions patient(Duration patience) {
    return limits(16 << 20, 16 << 20, patience);
  }

  private static GrpcOptions limits(long incomplete, long unread, Duration patience) {
    var usual = GrpcOptions.Limits.DEFAULT;
    var limits =
        new GrpcOptions.Limits(
            usual.requestBytes(),
            usual.updates(),
            usual.callsPerConnection(),
            100,
            100,
            incomplete,
            unread,
            patience,
            usual.idle());
    return new GrpcOptions(anyPort(), List.of(), false, limits, Optional.empty());
  }

  /// Ends of a stream.
  private static final class Ends<T> implements StreamObserver<T> {
    private final BlockingQueue<Status> ends = new LinkedBlockingQueue<>();

    Status.Code next() throws InterruptedException {
      return ends.poll(60, SECONDS).getCode();
    }

    @Override
    public void onNext(T message) {}

    @Override
    public void onError(Throwable failure) {
      ends.add(Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
      ends.add(Status.OK);
    }
  }
}
