package io.taskbroker.grpc;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.taskbroker.runtime.Deadlines.Deadline;
import io.taskbroker.telemetry.Metrics;

/// Interceptor of health calls, which the library handles: counts them, and limits their number and
/// duration like those of [UnaryMethod] (G7).
record HealthCalls(Metrics metrics) implements ServerInterceptor {
  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    metrics.grpcRequests.of("/" + call.getMethodDescriptor().getFullMethodName()).inc();
    Connection connection = Connection.of(call);
    if (!connection.admit(call)) {
      return new ServerCall.Listener<>() {};
    }
    return new AdmittedCall<>(call, connection, next.startCall(call, headers));
  }

  private static final class AdmittedCall<Q> extends SimpleForwardingServerCallListener<Q>
      implements RunningCalls.IncompleteCall {
    private final Deadline<RunningCalls.IncompleteCall> deadline = new Deadline<>(this);
    private final ServerCall<Q, ?> call;
    private final Connection connection;
    private boolean answered;

    AdmittedCall(ServerCall<Q, ?> call, Connection connection, ServerCall.Listener<Q> handler) {
      super(handler);
      this.call = call;
      this.connection = connection;
      connection.running().incomplete().begin(deadline);
    }

    @Override
    public void cutOff(Status reason) {
      call.close(reason, new Metadata());
    }

    @Override
    public void onHalfClose() {
      connection.running().incomplete().end(deadline);
      if (call.getMethodDescriptor().getType() == MethodType.UNARY) {
        answered = true;
        connection.answered();
      }
      super.onHalfClose();
    }

    @Override
    public void onCancel() {
      ended();
      super.onCancel();
    }

    @Override
    public void onComplete() {
      ended();
      super.onComplete();
    }

    private void ended() {
      connection.running().incomplete().end(deadline);
      connection.ended();
      if (answered) {
        connection.responseDone();
      }
    }
  }
}
