package io.taskbroker.grpc;

import static io.taskbroker.grpc.StreamDeliveries.EPOCH;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.netty.channel.embedded.EmbeddedChannel;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.inflight.api.WorkerSession;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Released;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.Slots;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskHeartbeat;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.telemetry.Metrics;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;

/// A worker that sends arbitrary messages in any order, while the engine and the network do what
/// they may: the stream ends once and says nothing afterwards, the engine hears of its opening
/// first and of its end last, what cannot be read is refused, and all memory is released.
final class WorkerCallFuzzTest {
  private static final EmbeddedChannel LOOP = new EmbeddedChannel();
  private static final int STEPS = 200;
  private static final MethodDescriptor<byte[], byte[]> METHOD =
      MethodDescriptor.newBuilder(RawMessage.MARSHALLER, RawMessage.MARSHALLER)
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName(WorkerService.NAME + "/Work")
          .build();

  @MethodSource("seeds")
  @FuzzTest
  void endsOnceAndReleasesEverything(byte[] input) throws IOException {
    var stream = new Life();
    var portions = new Portions(input);
    for (int step = 0; step < STEPS && !portions.isEmpty(); step++) {
      stream.step(portions);
      stream.check();
    }
    stream.end();
  }

  /// One stream with its engine and its network.
  private static final class Life implements CommandSink {
    private final Budget answers = new Budget(1 << 20);
    private final Budget calls = new Budget(1 << 20);
    private final Connection connection =
        TestConnections.on(
            new RunningCalls(LOOP.eventLoop(), Duration.ofDays(1)),
            new Budgets(answers, new Budget(1 << 20), calls));
    private final RecordedCall call = new RecordedCall(METHOD, connection);
    private final WorkerCall worker =
        new WorkerCall(
            call,
            connection,
            this,
            InstantSource.system(),
            new WorkerOptions(
                "broker", 4 << 20, Duration.ofSeconds(2), new WorkerOptions.Counts(new Metrics())));
    private final List<Command> commands = new ArrayList<>();
    private final ArrayDeque<WorkerSession> unhandled = new ArrayDeque<>();
    private final ArrayDeque<Command.Results> unanswered = new ArrayDeque<>();
    private @Nullable WorkerSession session;
    private boolean halfClosed;
    private boolean cancelled;
    private int sentAtEnd = -1;

    Life() {
      assertThat(connection.admit(call)).isTrue();
      worker.open();
    }

    void step(Portions portions) throws IOException {
      switch (portions.number() % 13) {
        case 0 -> raw(portions.bytes());
        case 1 -> message(message().setHello(Hello.newBuilder().setSlots(portions.number())));
        case 2 -> message(message().setSlots(Slots.newBuilder().setSlots(portions.number())));
        case 3 -> message(message().setResults(results(portions)));
        case 4 -> message(message().setHeartbeat(heartbeat(portions)));
        case 5 -> deliver(portions.number());
        case 6 -> answer(portions.number());
        case 7 -> handle();
        case 8 ->
            withSession(it -> {
              it.holds(portions.number() % 3);
              it.cancel("a", token(portions.number()), true);
            });
        case 9 -> network(portions.number());
        case 10 -> worker.drain();
        case 11 -> leave(portions.number());
        default -> worker.leasePassed();
      }
      LOOP.runPendingTasks();
    }

    private static WorkerMessage.Builder message() {
      return WorkerMessage.newBuilder();
    }

    private void message(WorkerMessage.Builder message) throws IOException {
      raw(message.build().toByteArray());
    }

    /// The network delivers no message that the stream did not ask for.
    private void raw(byte[] bytes) throws IOException {
      if (call.wanted == 0 || halfClosed || cancelled) {
        return;
      }
      call.wanted--;
      boolean open = call.closed.isEmpty();
      worker.onMessage(bytes);
      if (open && !isReadable(bytes)) {
        assertThat(call.closed)
            .extracting(Status::getCode)
            .containsExactly(Status.Code.INVALID_ARGUMENT);
      }
    }

    private static boolean isReadable(byte[] bytes) {
      try {
        return WorkerMessage.parseFrom(bytes) != null;
      } catch (InvalidProtocolBufferException _) {
        return false;
      }
    }

    private Results results(Portions portions) {
      Results.Builder results = Results.newBuilder().setNumber(portions.number());
      for (int i = portions.number() % 4; i > 0; i--) {
        Result.Builder result = Result.newBuilder().setId("t").setToken(wire(portions.number()));
        switch (portions.number() % 4) {
          case 0 -> result.setCompleted(Completed.getDefaultInstance());
          case 1 -> result.setFailed(Failed.newBuilder().setRetryAfterMs(portions.large()));
          case 2 -> result.setReleased(Released.getDefaultInstance());
          default -> {} // no outcome
        }
        results.addResults(result);
      }
      return results.build();
    }

    private static Heartbeat heartbeat(Portions portions) {
      Heartbeat.Builder heartbeat = Heartbeat.newBuilder();
      for (int i = portions.number() % 4; i > 0; i--) {
        heartbeat.addTasks(TaskHeartbeat.newBuilder().setId("t").setToken(wire(portions.number())));
      }
      return heartbeat.build();
    }

    private static io.taskbroker.protocol.v1.AttemptToken wire(int number) {
      return io.taskbroker.protocol.v1.AttemptToken.newBuilder()
          .setEpoch(EPOCH.value())
          .setNumber(number)
          .build();
    }

    private static AttemptToken token(int number) {
      return new AttemptToken(EPOCH.value(), number);
    }

    private void deliver(int number) {
      withSession(it -> {
        if (it.mayReceive()) {
          it.holds(1);
          it.deliver(delivery(number));
        }
      });
    }

    private void withSession(Consumer<WorkerSession> action) {
      if (session != null) {
        action.accept(session);
      }
    }

    private void answer(int how) {
      Command.Results results = unanswered.poll();
      if (results == null) {
        return;
      }
      if (how % 8 == 7) {
        results.reply().unavailable("as the test says");
      } else {
        List<ResultStatus> all = List.of(ResultStatus.values());
        ResultStatus status = all.get(how % all.size());
        results.reply().done(Collections.nCopies(results.results().size(), status));
      }
    }

    private void handle() {
      WorkerSession handled = unhandled.poll();
      if (handled != null) {
        handled.handled();
      }
    }

    private void network(int how) {
      call.ready = how % 2 == 0;
      if (call.ready) {
        worker.onReady();
      }
    }

    private void leave(int how) {
      if (cancelled) {
        return;
      }
      if (how % 2 == 0) {
        if (!halfClosed) {
          halfClosed = true;
          worker.onHalfClose();
        }
      } else {
        cancelled = true;
        worker.onCancel();
      }
    }

    void check() {
      assertThat(call.closed).hasSizeLessThan(2);
      assertThat(call.wanted).isBetween(0, 1);
      for (int i = 0; i < commands.size(); i++) {
        assertThat(commands.get(i) instanceof Command.WorkerOpened).isEqualTo(i == 0);
        boolean last = i == commands.size() - 1;
        assertThat(last || !(commands.get(i) instanceof Command.WorkerClosed)).isTrue();
      }
      if (!call.closed.isEmpty()) {
        sentAtEnd = sentAtEnd < 0 ? call.sent.size() : sentAtEnd;
        assertThat(call.sent).hasSize(sentAtEnd);
      }
    }

    void end() throws IOException {
      call.ready = true;
      if (call.closed.isEmpty() && !cancelled) {
        cancelled = true;
        worker.onCancel();
      } else if (!cancelled) {
        worker.onComplete();
      }
      while (!unanswered.isEmpty()) {
        answer(0);
      }
      while (!unhandled.isEmpty()) {
        handle();
        LOOP.runPendingTasks();
      }
      LOOP.runPendingTasks();
      check();
      assertThat(commands.stream().filter(Command.WorkerClosed.class::isInstance))
          .hasSize(session == null ? 0 : 1);
      assertThat(answers.held()).as("bytes of answers").isZero();
      assertThat(calls.held()).as("bytes of requests").isZero();
      for (byte[] each : call.sent) {
        assertThat(BrokerMessage.parseFrom(each).getMessageCase())
            .isNotEqualTo(BrokerMessage.MessageCase.MESSAGE_NOT_SET);
      }
    }

    @Override
    public void request(Command.Request request) {
      commands.add(request);
      switch (request) {
        case Command.Results results -> unanswered.add(results);
        default -> throw new AssertionError(request);
      }
    }

    @Override
    public void submit(Command command) {
      commands.add(command);
      switch (command) {
        case Command.WorkerOpened opened -> {
          session = opened.session();
          unhandled.add(opened.session());
        }
        case Command.WorkerSlots slots -> unhandled.add(slots.session());
        case Command.WorkerHeartbeat heartbeat -> unhandled.add(heartbeat.session());
        case Command.WorkerClosed _ -> {}
        default -> throw new AssertionError(command);
      }
    }
  }

  private static Delivery delivery(int number) {
    byte[] payload = Task.newBuilder().setId("t").setName("mail").build().toByteArray();
    return StreamDeliveries.of("t", number, payload);
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
        // Hello, handled, a delivery, its result, the answer, half-close.
        new byte[] {1, 9, 7, 5, 3, 3, 1, 1, 3, 0, 6, 0, 11, 0},
        // A heartbeat of an old attempt, slots 0, drain, the result, the answer.
        new byte[] {1, 9, 7, 4, 1, 8, 7, 2, 0, 7, 10, 3, 1, 1, 8, 0, 6, 0},
        // Gone before the engine has handled the opening.
        new byte[] {1, 9, 11, 1, 7},
        // Silent with a task; without an outcome; twice Hello; no message at all.
        new byte[] {1, 9, 7, 5, 1, 12},
        new byte[] {1, 9, 7, 3, 1, 1, 1, 3},
        new byte[] {1, 9, 7, 1, 9},
        new byte[] {0, 0, 11, 0},
        // Not reading, cancelled by a client, the engine refuses the results.
        new byte[] {1, 9, 7, 9, 1, 8, 4, 3, 1, 1, 1, 0, 6, 7, 9, 0},
        // An unknown message of a later version.
        new byte[] {1, 9, 7, 0, 3, 74, 1, 0, 5, 1});
  }
}
