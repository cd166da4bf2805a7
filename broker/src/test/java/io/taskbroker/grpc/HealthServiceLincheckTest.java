package io.taskbroker.grpc;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.stub.ServerCallStreamObserver;
import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Health watches during changes and the end: the last status that a watcher sees is the current
/// one, and every watch ends (G9).
@Tag("concurrency")
@Timeout(300)
final class HealthServiceLincheckTest {
  private static final HealthCheckRequest ALL = HealthCheckRequest.getDefaultInstance();

  @Test
  void g9ConcurrentWatcherSeesTheLastChange() {
    Interleavings.of(() -> {
      var health = shared(new HealthService());
      var watcher = new Watcher();
      Actor watchdog = start(() -> health.setServing(true));
      health.watch(ALL, watcher);
      join(watchdog);
      check(watcher.seen.getLast() == ServingStatus.SERVING, watcher.seen);
      check(watcher.seen.size() <= 2, watcher.seen);
    });
  }

  @Test
  void g9EveryWatchEndsOnceAndNothingIsServedAfterTheEnd() {
    Interleavings.of(() -> {
      var health = shared(new HealthService());
      var watcher = new Watcher();
      Actor watchdog = start(() -> health.setServing(true));
      Actor server = start(() -> health.end());
      health.watch(ALL, watcher);
      join(watchdog, server);
      check(watcher.ends == 1, watcher.ends + " ends");
      check(!watcher.notifiedAfterEnd, "notified after the end");
      check(
          watcher.seen.isEmpty() || watcher.seen.getLast() == ServingStatus.NOT_SERVING,
          watcher.seen);
    });
  }

  private static final class Watcher extends ServerCallStreamObserver<HealthCheckResponse> {
    private final List<ServingStatus> seen = new ArrayList<>();
    private int ends;
    private boolean notifiedAfterEnd;

    @Override
    public void onNext(HealthCheckResponse response) {
      notifiedAfterEnd |= ends > 0;
      seen.add(response.getStatus());
    }

    @Override
    public void onError(Throwable cause) {
      ends++;
    }

    @Override
    public void onCompleted() {
      ends++;
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public void setOnCancelHandler(Runnable handler) {}

    @Override
    public void setCompression(String compression) {}

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {}

    @Override
    public void request(int count) {}

    @Override
    public void setMessageCompression(boolean enable) {}

    @Override
    public void disableAutoInboundFlowControl() {}
  }
}
