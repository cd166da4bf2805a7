package io.taskbroker.cli;

import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.PushTaskRequest;
import io.taskbroker.proto.v1.PushTaskResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusResponse;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.proto.v1.WorkerServiceGrpc;
import io.taskbroker.testkit.CertificateAuthority.Issued;
import io.taskbroker.testkit.TaskTemplate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// Push worker with mutual TLS in both directions, as implemented by the gRPC library. Reports each
/// task as complete, signed.
final class TlsWorker extends WorkerServiceGrpc.WorkerServiceImplBase implements AutoCloseable {
  private static final String LOCAL = "127.0.0.1";
  private static final Metadata.Key<String> SIGNATURE =
      Metadata.Key.of("sentry-signature", Metadata.ASCII_STRING_MARSHALLER);

  private final Set<Integer> completed = ConcurrentHashMap.newKeySet();
  private final String secret;
  private final Server server;
  private final ManagedChannel broker;

  /// @param port of the broker
  /// @param identity certificate for brokers that call it or that it calls
  /// @param ca authority of the brokers' certificates
  TlsWorker(int port, Issued identity, Path ca, String secret) throws IOException {
    this.secret = secret;
    server =
        NettyServerBuilder.forPort(
                0,
                TlsServerCredentials.newBuilder()
                    .keyManager(identity.certificate().toFile(), identity.key().toFile())
                    .trustManager(ca.toFile())
                    .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                    .build())
            .addService(this)
            .build()
            .start();
    broker =
        connect(
            port,
            TlsChannelCredentials.newBuilder()
                .keyManager(identity.certificate().toFile(), identity.key().toFile())
                .trustManager(ca.toFile())
                .build());
  }

  /// Opens a channel to a broker.
  static ManagedChannel connect(int port, ChannelCredentials credentials) {
    return NettyChannelBuilder.forAddress(LOCAL, port, credentials).build();
  }

  String url() {
    return "https://" + LOCAL + ":" + server.getPort();
  }

  /// Number of distinct tasks with an acknowledged report.
  int completed() {
    return completed.size();
  }

  boolean brokerServes() {
    return HealthGrpc.newBlockingStub(broker)
        .withWaitForReady()
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .check(HealthCheckRequest.getDefaultInstance())
        .getStatus()
        .equals(ServingStatus.SERVING);
  }

  @Override
  public void pushTask(PushTaskRequest request, StreamObserver<PushTaskResponse> observer) {
    observer.onNext(PushTaskResponse.getDefaultInstance());
    observer.onCompleted();
    var report =
        SetTaskStatusRequest.newBuilder()
            .setId(request.getTask().getId())
            .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
            .build();
    Metadata headers = new Metadata();
    headers.put(
        SIGNATURE,
        RawCalls.sign(ConsumerServiceGrpc.getSetTaskStatusMethod(), report.toByteArray(), secret));
    int task = TaskTemplate.numberOf(request.getTask());
    // The report outlives the call that delivered the task.
    Context.current().fork().run(() -> report(report, headers, task));
  }

  private void report(SetTaskStatusRequest report, Metadata headers, int task) {
    ConsumerServiceGrpc.newStub(
            ClientInterceptors.intercept(
                broker, MetadataUtils.newAttachHeadersInterceptor(headers)))
        .setTaskStatus(
            report,
            new StreamObserver<>() {
              @Override
              public void onNext(SetTaskStatusResponse response) {
                completed.add(task);
              }

              @Override
              public void onError(Throwable failure) {
                // Pushed again after its deadline.
              }

              @Override
              public void onCompleted() {}
            });
  }

  @Override
  public void close() {
    server.shutdownNow();
    broker.shutdownNow();
  }
}
