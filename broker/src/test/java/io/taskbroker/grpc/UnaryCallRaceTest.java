package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.taskbroker.Race;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.wire.Signatures;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Call answered by the engine while its client cancels or the server stops: it ends once, with a
/// complete response.
@Tag("concurrency")
@Timeout(240)
final class UnaryCallRaceTest {
  private static final ServiceCounts COUNTS = new ServiceCounts(new Metrics());

  private final EventLoop loop = new DefaultEventLoop();
  private final RunningCalls running = new RunningCalls(loop, Duration.ofMinutes(1));
  private final Connection connection = TestConnections.on(running);

  @AfterEach
  void stop() {
    loop.shutdownGracefully().awaitUninterruptibly();
  }

  @Test
  void responseDuringServerStopIsCompleteOrAFailure() {
    Race.of(
        3_000,
        Exchange::new,
        List.of(
            Exchange::answer, exchange -> running.run(() -> running.failAll(Status.UNAVAILABLE))),
        exchange -> {
          exchange.settle();
          assertThat(exchange.closes).isEqualTo(1);
          if (exchange.status.isOk()) {
            assertThat(exchange.sent).hasSize(64).containsOnly(7);
          }
        });
  }

  @Test
  void responseDuringCancelIsSentAtMostOnce() {
    Race.of(
        3_000,
        Exchange::new,
        List.of(Exchange::answer, exchange -> running.run(exchange.call::onCancel)),
        exchange -> {
          exchange.settle();
          assertThat(exchange.closes).isLessThanOrEqualTo(1);
          assertThat(exchange.call.isCancelled()).isTrue();
          assertThat(exchange.messages).isEqualTo(exchange.closes);
        });
  }

  /// Call with a complete request, and what its client receives.
  private final class Exchange extends ServerCall<byte[], byte[]> {
    private final UnaryMethod method =
        new UnaryMethod(
            "service/method",
            new Signatures(List.of()),
            COUNTS.getTask("/service/method"),
            (_, _) -> {});
    private final UnaryCall call = new UnaryCall(method, this, null, connection);
    private byte[] sent = {};
    private int messages;
    private int closes;
    private Status status = Status.UNKNOWN;

    Exchange() {
      running.run(() -> {
        call.onMessage(new byte[1]);
        call.onHalfClose();
      });
      settle();
    }

    private void answer() {
      byte[] message = new byte[64];
      Arrays.fill(message, (byte) 7);
      call.answer(message);
    }

    /// Runs the tasks queued in the loop.
    private void settle() {
      var done = new CountDownLatch(1);
      loop.execute(done::countDown);
      try {
        done.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void request(int count) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(byte[] message) {
      sent = message;
      messages++;
    }

    @Override
    public void close(Status end, Metadata trailers) {
      status = end;
      closes++;
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public MethodDescriptor<byte[], byte[]> getMethodDescriptor() {
      return method.descriptor();
    }
  }
}
