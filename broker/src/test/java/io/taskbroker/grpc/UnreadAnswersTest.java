package io.taskbroker.grpc;

import static io.taskbroker.grpc.RawConnection.block;
import static io.taskbroker.grpc.RawConnection.headers;
import static io.taskbroker.grpc.RawHttp2.frame;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Clients that pull large tasks without reading them: few are delivered to them, others are
/// served, and their memory is released (G7, G8).
final class UnreadAnswersTest extends ServedTest {
  private static final InetAddress ATTACKER = InetAddress.ofLiteral("127.0.0.2");
  private static final byte[] NO_WINDOW = {0, 4, 0, 0, 0, 0};
  private static final byte[] PULL = block(headers("/" + ConsumerService.NAME + "/GetTask"));
  private static final int TASK = 1 << 20;
  private static final long BUDGET = 16 << 20;
  private static final int PULLS = 200;
  private static final byte[] LARGE =
      TaskActivation.newBuilder()
          .setId("large")
          .setParametersBytes(ByteString.copyFrom(new byte[TASK]))
          .build()
          .toByteArray();

  private final AtomicInteger handedOut = new AtomicInteger();
  private final AtomicInteger kept = new AtomicInteger();

  /// Engine stub: asks whether the caller accepts a task, and delivers or keeps it.
  @BeforeEach
  void answer() {
    var delivery = Deliveries.of("large", "app", LARGE);
    intake.answer =
        request -> {
          var reply = ((Command.Claim) request).reply();
          if (reply.isGone()) {
            kept.incrementAndGet();
            reply.done(null);
          } else {
            handedOut.incrementAndGet();
            reply.done(delivery);
          }
        };
  }

  @Test
  void g7UnsendableTasksAreNotDelivered() throws IOException {
    GrpcServer server = serve(Duration.ofMinutes(10));
    List<RawConnection> greedy = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      greedy.add(pull(server));
    }
    await().until(() -> handedOut.get() + kept.get() == 3 * PULLS);

    // A connection holds a quarter plus at most one task; a peer holds half.
    assertThat(handedOut.get()).isBetween(8, 12);
    int before = handedOut.get();
    var honest = worker(server);
    for (int i = 0; i < 20; i++) {
      assertThat(honest.getTask(GetTaskRequest.getDefaultInstance()).hasTask()).isTrue();
    }
    assertThat(handedOut.get()).isEqualTo(before + 20);
    for (RawConnection each : greedy) {
      each.close();
    }
  }

  @Test
  void nonReadingClientGetsAReason() throws IOException {
    GrpcServer server = serve(Duration.ofMinutes(10));
    try (RawConnection greedy = pull(server)) {
      RawConnection.Outcome outcome = greedy.read(2 * PULLS - 1);

      assertThat(outcome.grpcStatus()).isEqualTo("" + Status.Code.UNAVAILABLE.value());
      assertThat(outcome.headers().get("grpc-message")).startsWith("Too many responses are unread");
    }
  }

  @Test
  void g7NonReadingClientIsClosedAndItsMemoryReleased() throws IOException {
    GrpcServer server = serve(Duration.ofSeconds(1));
    try (RawConnection greedy = pull(server)) {
      assertThat(greedy.read(1).end()).isEqualTo("closed");
    }
    assertThat(metrics.grpcConnectionsClosed.of("unread").get()).isEqualTo(1);
    handedOut.set(0);
    kept.set(0);
    try (RawConnection _ = pull(server)) {
      await().until(() -> handedOut.get() + kept.get() == PULLS);
      assertThat(handedOut.get()).isBetween(4, 5);
    }
  }

  /// Answers to enqueues, questions about tasks and schedules may be as large.
  @Test
  void g7AnswersToQuestionsAreBoundedToo() throws IOException {
    intake.answer =
        request ->
            ((Command.Ask) request)
                .query()
                .reply()
                .done(TaskQuery.View.ended(TaskEnd.COMPLETED, "", LARGE));
    GrpcServer server = serve(Duration.ofMinutes(10));
    try (RawConnection greedy = call(server, block(headers("/" + TaskService.NAME + "/Get")))) {
      RawConnection.Outcome outcome = greedy.read(2 * PULLS - 1);

      assertThat(outcome.grpcStatus()).isEqualTo("" + Status.Code.UNAVAILABLE.value());
      assertThat(outcome.headers().get("grpc-message")).startsWith("Too many responses are unread");
    }
  }

  private static RawConnection pull(GrpcServer server) throws IOException {
    return call(server, PULL);
  }

  private static RawConnection call(GrpcServer server, byte[] headers) throws IOException {
    var connection = new RawConnection(server.port(), ATTACKER, NO_WINDOW);
    for (int i = 0; i < PULLS; i++) {
      connection.send(frame(1, 4, 2 * i + 1, headers));
      connection.send(frame(0, 1, 2 * i + 1, RawConnection.message(0, 0, new byte[0])));
    }
    return connection;
  }

  private GrpcServer serve(Duration patience) {
    var usual = GrpcOptions.Limits.DEFAULT;
    var limits =
        new GrpcOptions.Limits(
            usual.requestBytes(),
            usual.updates(),
            usual.callsPerConnection(),
            100,
            100,
            usual.incompleteBytes(),
            BUDGET,
            patience,
            usual.idle());
    return serve(new GrpcOptions(anyPort(), List.of(), false, limits, Optional.empty()));
  }
}
