package io.taskbroker.grpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.LinkedHashSet;
import java.util.Set;

/// `grpc.health.v1.Health` service for the whole server (the empty name) and for `ConsumerService`,
/// which share one status (G9); other names are NOT_FOUND (reference-spec 2.5). NOT_SERVING
/// initially. Thread-safe.
final class HealthService extends HealthGrpc.HealthImplBase {
  private static final Set<String> NAMES = Set.of("", ConsumerService.NAME);

  private final Set<StreamObserver<HealthCheckResponse>> watchers = new LinkedHashSet<>();
  private boolean serving;
  private boolean ended;

  synchronized void setServing(boolean now) {
    if (now == serving || ended) {
      return;
    }
    serving = now;
    watchers.forEach(watcher -> watcher.onNext(response()));
  }

  /// Switches to NOT_SERVING and ends all watches, which would never end by themselves.
  synchronized void end() {
    setServing(false);
    ended = true;
    watchers.forEach(watcher -> watcher.onError(ending()));
    watchers.clear();
  }

  @Override
  public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> observer) {
    if (!NAMES.contains(request.getService())) {
      observer.onError(unknown());
      return;
    }
    HealthCheckResponse response;
    synchronized (this) {
      response = response();
    }
    observer.onNext(response);
    observer.onCompleted();
  }

  @Override
  public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> observer) {
    if (!NAMES.contains(request.getService())) {
      observer.onError(unknown());
      return;
    }
    ((ServerCallStreamObserver<HealthCheckResponse>) observer)
        .setOnCancelHandler(() -> forget(observer));
    synchronized (this) {
      if (ended) {
        observer.onError(ending());
        return;
      }
      watchers.add(observer);
      observer.onNext(response());
    }
  }

  private synchronized void forget(StreamObserver<HealthCheckResponse> watcher) {
    watchers.remove(watcher);
  }

  private HealthCheckResponse response() {
    return HealthCheckResponse.newBuilder()
        .setStatus(serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING)
        .build();
  }

  private static StatusRuntimeException unknown() {
    return Status.NOT_FOUND.withDescription("service not registered").asRuntimeException();
  }

  private static StatusRuntimeException ending() {
    return Status.UNAVAILABLE.withDescription("The broker stops").asRuntimeException();
  }
}
