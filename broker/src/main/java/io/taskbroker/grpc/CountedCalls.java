package io.taskbroker.grpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.taskbroker.telemetry.Metrics;

/// Counts the calls of a service that is not ours: health.
record CountedCalls(Metrics metrics) implements ServerInterceptor {
  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    metrics.grpcRequests.of("/" + call.getMethodDescriptor().getFullMethodName()).inc();
    return next.startCall(call, headers);
  }
}
