package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.taskbroker.activation.Utf8;
import io.taskbroker.grpc.UnaryMethod.BadRequest;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.inflight.api.WorkerSession;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.CancelReason;
import io.taskbroker.protocol.v1.Cancellation;
import io.taskbroker.protocol.v1.Cancellations;
import io.taskbroker.protocol.v1.Drain;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.ResultsAck;
import io.taskbroker.protocol.v1.TaskHeartbeat;
import io.taskbroker.protocol.v1.Welcome;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.runtime.Deadlines.Deadline;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Stream of one worker. Tasks and answers come from the engine's thread; everything else is
/// confined to the event loop.
final class WorkerCall extends StreamCall implements WorkerSession {
  static final int MAX_SLOTS = 10_000;
  static final int MAX_RESULTS = 10_000;

  private static final int MAX_NAMESPACES = 64;
  private static final int MAX_NAME_BYTES = 255;
  private static final int MAX_RESULT_BYTES = 64 << 10;
  static final int MAX_FAILURE_BYTES = 4 << 10;
  static final int MAX_PROGRESS_BYTES = 1 << 10;
  private static final long MAX_DELAY_MS = 30L * 24 * 3_600_000;
  private static final String DEFAULT_APPLICATION = "default";

  /// Requests of one stream that the engine may have.
  private static final int MAX_UNANSWERED = MAX_SLOTS;

  /// Memory of one decoded result or heartbeat beyond its bytes.
  private static final int ITEM_BYTES = 128;

  /// Without the unknown fields, which nobody reads (G7).
  private static final Parser<WorkerMessage> MESSAGES =
      DiscardUnknownFieldsParser.wrap(WorkerMessage.parser());

  private final WorkerOptions options;
  private final CommandSink intake;
  private final InstantSource clock;

  /// Lease of the worker, while it has tasks.
  private final Deadline<WorkerCall> lease = new Deadline<>(this);

  /// Tasks that the engine delivered and that are not sent.
  private final Queue<Delivery> deliveries = new ConcurrentLinkedQueue<>();

  private boolean greeted;

  /// Name that the worker gave itself, and its version; may be empty.
  private volatile String worker = "";

  private volatile String version = "";
  private final String address;
  private final long openedAt;

  /// When the last message came, milliseconds since the epoch.
  private volatile long heardAt;

  private int slots;

  /// Tasks that the worker has, as the engine counts them.
  private volatile int held;

  /// Whether an idle worker has received a task and its lease must be restarted.
  private volatile boolean busyAgain;

  private int unanswered;

  /// Commands that are not requests for an answer and that the engine has not handled, and the
  /// memory of the one that is a heartbeat.
  private int unhandled;

  private long unhandledBytes;

  /// Memory of what the worker said about itself, held until the stream ends.
  private long greetingBytes;

  private boolean silent;
  private boolean draining;

  /// Whether the engine did not deliver because the worker does not read.
  private volatile boolean heldBack;

  /// @param options the same for all streams
  WorkerCall(
      ServerCall<byte[], byte[]> call,
      Connection connection,
      CommandSink intake,
      InstantSource clock,
      WorkerOptions options) {
    super(call, connection);
    this.intake = intake;
    this.options = options;
    this.clock = clock;
    this.address = Connection.address(call);
    this.openedAt = clock.millis();
    this.heardAt = openedAt;
  }

  @Override
  void message(byte[] bytes) throws InvalidProtocolBufferException {
    Messages.requireAtMost(
        MAX_RESULTS,
        "results in one message",
        bytes,
        WorkerMessage.RESULTS_FIELD_NUMBER,
        Results.RESULTS_FIELD_NUMBER);
    Messages.requireAtMost(
        MAX_RESULTS,
        "tasks in one heartbeat",
        bytes,
        WorkerMessage.HEARTBEAT_FIELD_NUMBER,
        Heartbeat.TASKS_FIELD_NUMBER);
    WorkerMessage message = MESSAGES.parseFrom(bytes);
    if (!greeted) {
      if (!message.hasHello()) {
        throw new BadRequest("The first message must be Hello");
      }
      greet(message.getHello(), bytes.length);
      return;
    }
    heardAt = clock.millis();
    boolean hasTasks = held > 0;
    switch (message.getMessageCase()) {
      case HELLO -> throw new BadRequest("Hello was sent before");
      case SLOTS -> {
        slots = slots(message.getSlots().getSlots());
        submit(new Command.WorkerSlots(this, slots));
      }
      case RESULTS -> results(message.getResults(), bytes.length);
      case HEARTBEAT -> hasTasks |= heartbeat(message.getHeartbeat(), bytes.length);
      case MESSAGE_NOT_SET -> {} // of a later version
    }
    running.leases().end(lease);
    if (hasTasks && !isClosed()) {
      running.leases().begin(lease);
    }
  }

  private void greet(Hello hello, int bytes) {
    if (hello.getNamespacesCount() > MAX_NAMESPACES) {
      throw new BadRequest("More than " + MAX_NAMESPACES + " namespaces");
    }
    name("application", hello.getApplication());
    hello.getNamespacesList().forEach(each -> name("namespaces", each));
    name("worker", hello.getWorker());
    name("version", hello.getVersion());
    slots = slots(hello.getSlots());
    greetingBytes = connection.holdRequest(bytes);
    if (greetingBytes < 0) {
      close(Connection.TOO_MANY);
      return;
    }
    worker = hello.getWorker();
    version = hello.getVersion();
    greeted = true;
    send(
        BrokerMessage.newBuilder()
            .setWelcome(
                Welcome.newBuilder()
                    .setBroker(options.broker())
                    .setLease(
                        com.google.protobuf.Duration.newBuilder()
                            .setSeconds(RunningCalls.LEASE.toSeconds()))
                    .setMaxMessageBytes(options.maxMessageBytes())
                    .setMaxResults(MAX_RESULTS))
            .build()
            .toByteArray());
    String application =
        hello.getApplication().isEmpty() ? DEFAULT_APPLICATION : hello.getApplication();
    submit(
        new Command.WorkerOpened(this, application, List.copyOf(hello.getNamespacesList()), slots));
    options.counts().opened();
  }

  private static void name(String field, String value) {
    if (value.length() > MAX_NAME_BYTES / 3 && value.getBytes(UTF_8).length > MAX_NAME_BYTES) {
      throw new BadRequest(field + " has more than " + MAX_NAME_BYTES + " bytes");
    }
  }

  private static int slots(int number) {
    if (number < 0 || number > MAX_SLOTS) {
      throw new BadRequest("slots is not between 0 and " + MAX_SLOTS);
    }
    return number;
  }

  private void results(Results results, int bytes) {
    int count = results.getResultsCount();
    List<Command.Result> translated = new ArrayList<>(count);
    for (Result result : results.getResultsList()) {
      translated.add(new Command.Result(result.getId(), token(result.getToken()), outcome(result)));
    }
    long held = hold(bytes, count);
    if (held < 0) {
      return;
    }
    intake.request(new Command.Results(this, translated, new Answer(results.getNumber(), held)));
  }

  /// Reserves memory for a request of the engine; closes the stream if there is none.
  private long hold(int bytes, int items) {
    long held =
        unanswered < MAX_UNANSWERED
            ? connection.holdMessage(bytes + (long) items * ITEM_BYTES)
            : -1;
    if (held < 0) {
      close(Connection.TOO_MANY);
    } else {
      unanswered++;
    }
    return held;
  }

  private static Command.Outcome outcome(Result result) {
    return switch (result.getOutcomeCase()) {
      case COMPLETED -> {
        if (result.getCompleted().getResult().size() > MAX_RESULT_BYTES) {
          throw new BadRequest(
              "The result of " + result.getId() + " has more than " + MAX_RESULT_BYTES + " bytes");
        }
        yield result.getCompleted().getResult().isEmpty()
            ? new Command.Outcome.Completed()
            : new Command.Outcome.Completed(result.getCompleted().getResult().toByteArray());
      }
      case FAILED -> failed(result.getFailed());
      case RELEASED -> new Command.Outcome.Released();
      case OUTCOME_NOT_SET ->
          throw new BadRequest("The result of " + result.getId() + " has no outcome");
    };
  }

  private static Command.Outcome failed(Failed failed) {
    long delay = failed.getRetryAfterMs();
    return new Command.Outcome.Failed(
        Utf8.cut(failed.getMessage(), MAX_FAILURE_BYTES),
        failed.getFinal(),
        !failed.hasRetryAfterMs() ? -1 : delay < 0 ? MAX_DELAY_MS : Math.min(delay, MAX_DELAY_MS),
        failed.hasMaxAttempts() ? Integer.toUnsignedLong(failed.getMaxAttempts()) : -1);
  }

  /// Returns whether it names tasks: they may be those of an earlier stream.
  private boolean heartbeat(Heartbeat heartbeat, int bytes) {
    int count = heartbeat.getTasksCount();
    if (count == 0) {
      return false;
    }
    List<Command.TaskHeartbeat> tasks = new ArrayList<>(count);
    for (TaskHeartbeat task : heartbeat.getTasksList()) {
      String progress = Utf8.cut(task.getProgress(), MAX_PROGRESS_BYTES);
      tasks.add(new Command.TaskHeartbeat(task.getId(), token(task.getToken()), progress));
    }
    long held = connection.holdRequest(bytes + (long) count * ITEM_BYTES);
    if (held < 0) {
      close(Connection.TOO_MANY);
      return true;
    }
    unhandledBytes += held;
    submit(new Command.WorkerHeartbeat(this, tasks));
    return true;
  }

  /// Passes a command on. No message is read until the engine has handled it, so that a worker
  /// cannot fill its mailbox.
  private void submit(Command command) {
    unhandled++;
    intake.submit(command);
  }

  @Override
  boolean mayRead() {
    return unhandled == 0 && (unanswered == 0 || connection.hasRoomForMessage()) && super.mayRead();
  }

  private static AttemptToken token(io.taskbroker.protocol.v1.AttemptToken token) {
    return new AttemptToken(token.getEpoch(), token.getNumber());
  }

  /// Handles the silence of a worker, which is dead if it has tasks.
  void leasePassed() {
    if (held == 0 || busyAgain) {
      return; // [#beginLeaseAnew] follows the first task
    }
    if (isPaused()) {
      running.leases().begin(lease); // It may have said something that is not read yet.
      return;
    }
    silent = true;
    close(
        Status.DEADLINE_EXCEEDED.withDescription(
            "The worker has tasks and sent nothing for " + RunningCalls.LEASE.toMillis() + " ms"));
  }

  @Override
  void halfClosed() {
    close(Status.OK);
  }

  @Override
  void ended() {
    running.leases().end(lease);
    deliveries.clear();
    connection.releaseRequest(greetingBytes);
    if (greeted) {
      options.counts().closed();
      intake.submit(new Command.WorkerClosed(this, silent));
    }
  }

  @Override
  public void drain() {
    if (greeted) {
      send(
          BrokerMessage.newBuilder()
              .setDrain(
                  Drain.newBuilder()
                      .setGrace(
                          com.google.protobuf.Duration.newBuilder()
                              .setSeconds(options.grace().toSeconds())))
              .build()
              .toByteArray());
      draining = true;
      closeIfDrained();
    }
  }

  private void closeIfDrained() {
    if (draining && held == 0 && unanswered == 0) {
      close(Status.OK);
    }
  }

  // Called by the engine's thread.

  @Override
  public String worker() {
    return worker;
  }

  @Override
  public Description description() {
    return new Description(worker, version, address, openedAt, heardAt);
  }

  @Override
  public boolean mayReceive() {
    if (hasRoom()) {
      return true;
    }
    heldBack = true;
    return hasRoom(); // otherwise [#readOn] sees it
  }

  @Override
  public void holds(int tasks) {
    if (held == 0 && tasks > 0) {
      busyAgain = true;
    }
    held = tasks;
  }

  @Override
  public void deliver(Delivery delivery) {
    hold(delivery.payload().length);
    deliveries.add(delivery);
    flushSoon();
  }

  @Override
  public void cancel(String id, AttemptToken token, boolean requested) {
    send(
        BrokerMessage.newBuilder()
            .setCancellations(
                Cancellations.newBuilder()
                    .addCancellations(
                        Cancellation.newBuilder()
                            .setId(id)
                            .setToken(
                                io.taskbroker.protocol.v1.AttemptToken.newBuilder()
                                    .setEpoch(token.epoch())
                                    .setNumber(token.number()))
                            .setReason(
                                requested
                                    ? CancelReason.CANCEL_REASON_REQUESTED
                                    : CancelReason.CANCEL_REASON_SUPERSEDED)))
            .build()
            .toByteArray());
  }

  @Override
  public void handled() {
    running.run(() -> {
      unhandled--;
      connection.releaseRequest(unhandledBytes);
      unhandledBytes = 0;
      beginLeaseAnew();
      readOnIfPossible();
    });
  }

  @Override
  void prepare() {
    beginLeaseAnew();
    Delivery delivery = deliveries.poll();
    if (delivery == null) {
      return;
    }
    var message = new DeliveriesMessage();
    while (delivery != null) {
      if (!message.hasRoomFor(delivery)) {
        enqueue(message.bytes());
        message = new DeliveriesMessage();
      }
      message.add(delivery);
      delivery = deliveries.poll();
    }
    enqueue(message.bytes());
  }

  /// Begins the lease of a worker that had no tasks before, during which it may say nothing.
  private void beginLeaseAnew() {
    if (busyAgain && !isClosed()) {
      busyAgain = false;
      running.leases().end(lease);
      running.leases().begin(lease);
    }
  }

  @Override
  void readOn() {
    if (heldBack && !isClosed()) {
      heldBack = false;
      submit(new Command.WorkerSlots(this, slots));
    }
  }

  /// Answer to one message of results, given by the engine's thread.
  private final class Answer implements Command.ResultsReply {
    private final long number;
    private final long held;

    Answer(long number, long held) {
      this.number = number;
      this.held = held;
    }

    @Override
    public void done(List<ResultStatus> statuses) {
      ResultsAck.Builder ack = ResultsAck.newBuilder().setNumber(number);
      if (statuses.stream().anyMatch(status -> status != ResultStatus.ACCEPTED)) {
        statuses.forEach(status -> ack.addStatuses(wire(status)));
      }
      byte[] bytes = BrokerMessage.newBuilder().setResultsAck(ack).build().toByteArray();
      send(bytes);
      running.run(this::release);
    }

    @Override
    public void unavailable(String why) {
      running.run(() -> {
        release();
        close(Status.UNAVAILABLE.withDescription(why));
      });
    }

    private void release() {
      unanswered--;
      connection.releaseRequest(held);
      closeIfDrained();
      readOnIfPossible();
    }
  }

  private static io.taskbroker.protocol.v1.ResultStatus wire(ResultStatus status) {
    return switch (status) {
      case ACCEPTED -> io.taskbroker.protocol.v1.ResultStatus.RESULT_STATUS_ACCEPTED;
      case STALE -> io.taskbroker.protocol.v1.ResultStatus.RESULT_STATUS_STALE;
      case UNKNOWN -> io.taskbroker.protocol.v1.ResultStatus.RESULT_STATUS_UNKNOWN;
    };
  }
}
