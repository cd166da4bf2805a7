package io.taskbroker.grpc;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Health as seen by callers; the server has a secret, which health does not require.
final class HealthServiceTest extends ServedTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "sentry_protos.taskbroker.v1.ConsumerService"})
  void servesOnceReady(String name) {
    GrpcServer server = serve(true, "secret");
    var health = HealthGrpc.newBlockingStub(connect(server));

    assertThat(health.check(of(name)).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
    server.setServing(true);
    assertThat(health.check(of(name)).getStatus()).isEqualTo(ServingStatus.SERVING);
    server.setServing(false);
    assertThat(health.check(of(name)).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
  }

  @Test
  void unknownNamesAreNotFound() {
    var health = HealthGrpc.newBlockingStub(connect(serve(true, "secret")));

    assertThat(failure(() -> health.check(of("other"))).getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(failure(() -> health.watch(of("other")).next()).getCode())
        .isEqualTo(Status.Code.NOT_FOUND);
  }

  @Test
  void watchersSeeEachChangeAndTheEnd() throws InterruptedException {
    GrpcServer server = serve(true, "secret");
    Watcher watcher = new Watcher();
    HealthGrpc.newStub(connect(server)).watch(of(""), watcher);

    assertThat(watcher.next()).isEqualTo(ServingStatus.NOT_SERVING);
    server.setServing(true);
    assertThat(watcher.next()).isEqualTo(ServingStatus.SERVING);
    server.setServing(true);
    server.stop();
    assertThat(watcher.next()).isEqualTo(ServingStatus.NOT_SERVING);

    // Ended by the service, and not by the server after its grace period.
    Status end = Status.fromThrowable((Throwable) watcher.next());
    assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(end.getDescription()).isEqualTo("The broker stops");
  }

  private static HealthCheckRequest of(String name) {
    return HealthCheckRequest.newBuilder().setService(name).build();
  }

  private static final class Watcher implements StreamObserver<HealthCheckResponse> {
    private final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();

    Object next() throws InterruptedException {
      return assertThat(seen.poll(60, SECONDS)).isNotNull().actual();
    }

    @Override
    public void onNext(HealthCheckResponse response) {
      seen.add(response.getStatus());
    }

    @Override
    public void onError(Throwable failure) {
      seen.add(failure);
    }

    @Override
    public void onCompleted() {
      seen.add("completed");
    }
  }
}
