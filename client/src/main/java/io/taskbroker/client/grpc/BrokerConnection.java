package io.taskbroker.client.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.TlsChannelCredentials;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/// Connection to one broker, made when first used and again after it is lost. Thread-safe.
public final class BrokerConnection {
  /// A dead connection is noticed within 15 s. The broker permits a ping each 5 s.
  private static final long KEEP_ALIVE_SECONDS = 10;

  private static final long KEEP_ALIVE_TIMEOUT_SECONDS = 5;
  private static final int MAX_MESSAGE_BYTES = 16 << 20;

  private final String target;
  private final ManagedChannel channel;
  private final TaskServiceGrpc.TaskServiceStub tasks;
  private final WorkerServiceGrpc.WorkerServiceStub workers;
  private final ScheduleServiceGrpc.ScheduleServiceStub schedules;
  private final ConsumerServiceGrpc.ConsumerServiceStub consumers;

  BrokerConnection(String target, ConnectionOptions options, Executor executor) {
    this.target = target;
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(target, credentials(options))
            .executor(executor)
            .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .disableRetry();
    if (options.secret() != null) {
      builder.intercept(new SigningInterceptor(options.secret()));
    }
    channel = builder.build();
    tasks = TaskServiceGrpc.newStub(channel);
    workers = WorkerServiceGrpc.newStub(channel);
    schedules = ScheduleServiceGrpc.newStub(channel);
    consumers = ConsumerServiceGrpc.newStub(channel);
  }

  private static ChannelCredentials credentials(ConnectionOptions options) {
    if (!options.tls()) {
      return InsecureChannelCredentials.create();
    }
    TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
    try {
      if (options.trusted() != null) {
        tls.trustManager(options.trusted().toFile());
      }
      if (options.certificate() != null && options.key() != null) {
        tls.keyManager(options.certificate().toFile(), options.key().toFile());
      }
    } catch (IOException e) {
      throw new IllegalStateException(
          "Could not read a file of TLS: " + options.trusted() + ", " + options.certificate(), e);
    }
    return tls.build();
  }

  public String target() {
    return target;
  }

  TaskServiceGrpc.TaskServiceStub tasks() {
    return tasks;
  }

  WorkerServiceGrpc.WorkerServiceStub workers() {
    return workers;
  }

  ScheduleServiceGrpc.ScheduleServiceStub schedules() {
    return schedules;
  }

  ConsumerServiceGrpc.ConsumerServiceStub consumers() {
    return consumers;
  }

  /// Whether the last attempt to connect failed.
  boolean isFailing() {
    return channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE;
  }

  /// Tries to connect at once, in place of the end of a pause.
  void connectNow() {
    channel.resetConnectBackoff();
  }

  void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
