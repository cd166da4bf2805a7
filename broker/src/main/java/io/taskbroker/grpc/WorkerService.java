package io.taskbroker.grpc;

import io.grpc.ServerServiceDefinition;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.wire.Signatures;
import java.time.InstantSource;

/// gRPC `taskbroker.v1.WorkerService`: streams that workers open (docs/protocol.md). Used by the
/// event loop.
final class WorkerService {
  static final String NAME = "taskbroker.v1.WorkerService";

  private static final String WORK = NAME + "/Work";

  private final CommandSink intake;
  private final InstantSource clock;
  private final ServiceCounts calls;
  private final WorkerOptions options;

  WorkerService(
      CommandSink intake, InstantSource clock, ServiceCounts calls, WorkerOptions options) {
    this.intake = intake;
    this.clock = clock;
    this.calls = calls;
    this.options = options;
  }

  ServerServiceDefinition definition(Signatures signatures) {
    StreamMethod work =
        new StreamMethod(
            WORK,
            signatures,
            calls.method("/" + WORK),
            clock,
            (call, connection) -> new WorkerCall(call, connection, intake, clock, options));
    return ServerServiceDefinition.builder(NAME).addMethod(work.descriptor(), work).build();
  }
}
