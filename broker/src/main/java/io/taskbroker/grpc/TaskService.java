package io.taskbroker.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.EnqueueOutcome;
import io.taskbroker.wire.Signatures;
import java.time.InstantSource;
import java.util.List;

/// gRPC `taskbroker.v1.TaskService`: enqueues tasks (docs/protocol.md). Used by the event loop.
final class TaskService {
  static final String NAME = "taskbroker.v1.TaskService";

  private static final String ENQUEUE = NAME + "/Enqueue";
  private static final String ENQUEUE_STREAM = NAME + "/EnqueueStream";

  private final CommandSink intake;
  private final InstantSource clock;
  private final ServiceCounts calls;
  private final EnqueueCounts counts;

  TaskService(
      CommandSink intake, InstantSource clock, ServiceCounts calls, EnqueueCounts counts) {
    this.intake = intake;
    this.clock = clock;
    this.calls = calls;
    this.counts = counts;
  }

  ServerServiceDefinition definition(Signatures signatures) {
    UnaryMethod enqueue =
        new UnaryMethod(ENQUEUE, signatures, calls.method("/" + ENQUEUE), this::enqueue);
    StreamMethod stream =
        new StreamMethod(
            ENQUEUE_STREAM,
            signatures,
            calls.method("/" + ENQUEUE_STREAM),
            clock,
            (call, connection) -> new EnqueueStream(call, connection, intake, clock, counts));
    return ServerServiceDefinition.builder(NAME)
        .addMethod(enqueue.descriptor(), enqueue)
        .addMethod(stream.descriptor(), stream)
        .build();
  }

  private void enqueue(UnaryCall call, byte[] bytes) throws InvalidProtocolBufferException {
    Enqueued tasks = EnqueueReader.read(bytes, clock.millis());
    if (!call.holdRequest(tasks.memory())) {
      call.fail(Connection.TOO_MANY);
      return;
    }
    intake.request(new Command.Enqueue(tasks.activations(), new Reply(call, tasks, counts)));
  }

  private record Reply(UnaryCall call, Enqueued tasks, EnqueueCounts counts)
      implements Command.EnqueueReply {
    @Override
    public void done(List<EnqueueOutcome> outcomes) {
      counts.enqueued(tasks, outcomes);
      call.answer(tasks.response(outcomes).toByteArray());
    }

    @Override
    public void unavailable(String why) {
      call.fail(Status.UNAVAILABLE.withDescription(why));
    }
  }
}
