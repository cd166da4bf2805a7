package io.taskbroker.testkit;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.taskbroker.proto.v1.ConsumerServiceGrpc.ConsumerServiceImplBase;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetBatchActivationStatusResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusResponse;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;

/// Broker side of the wire contract: hands out what is in `tasks` and accepts every report.
final class FakeBroker extends ConsumerServiceImplBase implements AutoCloseable {
  final Queue<TaskActivation> tasks = new ConcurrentLinkedQueue<>();
  final Queue<SetTaskStatusRequest> reports = new ConcurrentLinkedQueue<>();
  final List<Integer> batches = new CopyOnWriteArrayList<>();
  final List<String> signatures = new CopyOnWriteArrayList<>();
  volatile Status answer = Status.OK;

  private final Server server;

  FakeBroker(int port) throws IOException {
    ServerInterceptor signatureReader =
        new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            String signature = headers.get(RawMethods.SIGNATURE);
            if (signature != null) {
              signatures.add(signature);
            }
            return next.startCall(call, headers);
          }
        };
    server =
        NettyServerBuilder.forAddress(Ports.address(port))
            .directExecutor()
            .addService(ServerInterceptors.intercept(this, signatureReader))
            .build()
            .start();
  }

  String address() {
    return Ports.HOST + ":" + server.getPort();
  }

  @Override
  public void getTask(GetTaskRequest request, StreamObserver<GetTaskResponse> reply) {
    TaskActivation task = tasks.poll();
    if (task == null) {
      reply.onError(Status.NOT_FOUND.asRuntimeException());
    } else {
      answer(reply, GetTaskResponse.newBuilder().setTask(task).build());
    }
  }

  @Override
  public void setTaskStatus(
      SetTaskStatusRequest request, StreamObserver<SetTaskStatusResponse> reply) {
    if (!answer.isOk()) {
      reply.onError(answer.asRuntimeException());
      return;
    }
    reports.add(request);
    var response = SetTaskStatusResponse.newBuilder();
    TaskActivation task = request.hasFetchNextTask() ? tasks.poll() : null;
    if (task != null) {
      response.setTask(task);
    }
    answer(reply, response.build());
  }

  @Override
  public void setBatchActivationStatus(
      SetBatchActivationStatusRequest request,
      StreamObserver<SetBatchActivationStatusResponse> reply) {
    if (!answer.isOk()) {
      reply.onError(answer.asRuntimeException());
      return;
    }
    batches.add(request.getUpdatesCount());
    reports.addAll(request.getUpdatesList());
    answer(reply, SetBatchActivationStatusResponse.getDefaultInstance());
  }

  private static <T> void answer(StreamObserver<T> reply, T response) {
    reply.onNext(response);
    reply.onCompleted();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
