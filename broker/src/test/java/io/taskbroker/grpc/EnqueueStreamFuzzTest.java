package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.netty.channel.embedded.EmbeddedChannel;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// A client that sends arbitrary requests on an `EnqueueStream`, while the engine answers them in
/// any order: the responses come in the order of the requests, no more than 16 are unanswered, the
/// stream ends once, and all memory is released.
final class EnqueueStreamFuzzTest {
  private static final EmbeddedChannel LOOP = new EmbeddedChannel();
  private static final int STEPS = 200;
  private static final MethodDescriptor<byte[], byte[]> METHOD =
      MethodDescriptor.newBuilder(RawMessage.MARSHALLER, RawMessage.MARSHALLER)
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName(TaskService.NAME + "/EnqueueStream")
          .build();

  @MethodSource("seeds")
  @FuzzTest
  void answersInOrderAndReleasesEverything(byte[] input) throws InvalidProtocolBufferException {
    var life = new Life();
    var portions = new Portions(input);
    for (int step = 0; step < STEPS && !portions.isEmpty(); step++) {
      life.step(portions);
    }
    life.end();
  }

  private static final class Life implements CommandSink {
    private final Budget answers = new Budget(1 << 20);
    private final Budget calls = new Budget(1 << 20);
    private final Connection connection =
        TestConnections.on(
            new RunningCalls(LOOP.eventLoop(), Duration.ofDays(1)),
            new Budgets(answers, new Budget(1 << 20), calls));
    private final RecordedCall call = new RecordedCall(METHOD, connection);
    private final EnqueueStream stream =
        new EnqueueStream(
            call, connection, this, InstantSource.system(), new EnqueueCounts(new Metrics()));

    /// Numbers of tasks of the requests that the engine got, in their order.
    private final List<Integer> sizes = new ArrayList<>();

    /// Number of tasks of the last message.
    private int size;

    private final List<Command.Enqueue> waiting = new ArrayList<>();
    private boolean halfClosed;
    private boolean cancelled;

    Life() {
      assertThat(connection.admit(call)).isTrue();
      stream.open();
    }

    void step(Portions portions) {
      switch (portions.number() % 6) {
        case 0 -> message(portions.bytes());
        case 1 -> message(request(portions.number() % 5));
        case 2 -> answer(portions.number(), true);
        case 3 -> answer(portions.number(), portions.number() % 8 != 0);
        case 4 -> {
          call.ready = portions.number() % 2 == 0;
          stream.onReady();
        }
        default -> leave(portions.number());
      }
      LOOP.runPendingTasks();
      assertThat(call.closed).hasSizeLessThan(2);
      assertThat(waiting).hasSizeLessThanOrEqualTo(EnqueueStream.MAX_UNANSWERED);
    }

    private static byte[] request(int tasks) {
      return EnqueueRequest.newBuilder()
          .addAllTasks(
              Collections.nCopies(
                  tasks, NewTask.newBuilder().setTask(Task.newBuilder().setName("mail")).build()))
          .build()
          .toByteArray();
    }

    private void message(byte[] bytes) {
      if (call.wanted > 0 && !halfClosed && !cancelled) {
        call.wanted--;
        size = size(bytes);
        stream.onMessage(bytes);
      }
    }

    private static int size(byte[] request) {
      try {
        return EnqueueRequest.parseFrom(request).getTasksCount();
      } catch (InvalidProtocolBufferException _) {
        return -1;
      }
    }

    private void answer(int which, boolean well) {
      if (waiting.isEmpty()) {
        return;
      }
      Command.Enqueue enqueue = waiting.remove(which % waiting.size());
      if (well) {
        enqueue
            .reply()
            .done(Collections.nCopies(enqueue.activations().size(), EnqueueOutcome.ACCEPTED));
      } else {
        enqueue.reply().unavailable("as the test says");
      }
    }

    private void leave(int how) {
      if (how % 2 == 0 && !halfClosed && !cancelled) {
        halfClosed = true;
        stream.onHalfClose();
      } else if (how % 2 == 1 && !cancelled && call.closed.isEmpty()) {
        cancelled = true;
        stream.onCancel();
      }
    }

    void end() throws InvalidProtocolBufferException {
      boolean open = call.closed.isEmpty() && !cancelled;
      if (open && !halfClosed) {
        halfClosed = true;
        stream.onHalfClose();
      }
      call.ready = true;
      while (!waiting.isEmpty()) {
        answer(0, true);
      }
      LOOP.runPendingTasks();
      if (open) {
        assertThat(call.closed).extracting(Status::getCode).containsExactly(Status.Code.OK);
        assertThat(call.sent).hasSameSizeAs(sizes);
      }
      if (!cancelled) {
        stream.onComplete();
      }
      for (int i = 0; i < call.sent.size(); i++) {
        assertThat(EnqueueResponse.parseFrom(call.sent.get(i)).getResultsCount())
            .isEqualTo(sizes.get(i));
      }
      LOOP.runPendingTasks();
      assertThat(answers.held()).as("bytes of answers").isZero();
      assertThat(calls.held()).as("bytes of requests").isZero();
    }

    @Override
    public void request(Command.Request request) {
      var enqueue = (Command.Enqueue) request;
      sizes.add(size);
      waiting.add(enqueue);
    }

    @Override
    public void submit(Command command) {
      throw new AssertionError(command);
    }
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
        // Three requests, answered from the last to the first.
        new byte[] {1, 1, 1, 2, 1, 3, 2, 2, 2, 1, 2, 0, 5, 0},
        // More than 16 requests, no answer.
        new byte[] {
          1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
          1, 1, 1, 1, 1, 1
        },
        // The second fails, the client goes, the client does not read, a message is malformed.
        new byte[] {1, 1, 1, 1, 3, 1, 0},
        new byte[] {1, 2, 5, 1, 2, 0},
        new byte[] {4, 1, 1, 4, 2, 0, 1, 4, 4, 0},
        new byte[] {0, 2, 10, 9});
  }
}
