package io.taskbroker.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.taskbroker.grpc.UnaryMethod.BadRequest;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.protocol.v1.AwaitRequest;
import io.taskbroker.protocol.v1.CancelRequest;
import io.taskbroker.protocol.v1.ExplainRequest;
import io.taskbroker.protocol.v1.GetRequest;
import io.taskbroker.wire.Signatures;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// gRPC `taskbroker.v1.TaskService`: enqueues tasks, and answers questions about them
/// (docs/protocol.md). Used by the event loop.
final class TaskService {
  static final String NAME = "taskbroker.v1.TaskService";

  private static final String ENQUEUE = NAME + "/Enqueue";
  private static final String GET = NAME + "/Get";
  private static final String CANCEL = NAME + "/Cancel";
  private static final String AWAIT = NAME + "/Await";
  private static final String EXPLAIN = NAME + "/Explain";
  private static final int MAX_AWAIT_SECONDS = 3_600;
  private static final Status NOT_FOUND =
      Status.NOT_FOUND.withDescription("This broker knows no task of that id");
  private static final String ENQUEUE_STREAM = NAME + "/EnqueueStream";

  private final CommandSink intake;
  private final InstantSource clock;
  private final ServiceCounts calls;
  private final EnqueueCounts counts;

  TaskService(CommandSink intake, InstantSource clock, ServiceCounts calls, EnqueueCounts counts) {
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
    UnaryMethod get = new UnaryMethod(GET, signatures, calls.method("/" + GET), this::get);
    UnaryMethod cancel =
        new UnaryMethod(CANCEL, signatures, calls.method("/" + CANCEL), this::cancel);
    UnaryMethod await = new UnaryMethod(AWAIT, signatures, calls.method("/" + AWAIT), this::await);
    UnaryMethod explain =
        new UnaryMethod(EXPLAIN, signatures, calls.method("/" + EXPLAIN), this::explain);
    return ServerServiceDefinition.builder(NAME)
        .addMethod(get.descriptor(), get)
        .addMethod(cancel.descriptor(), cancel)
        .addMethod(await.descriptor(), await)
        .addMethod(explain.descriptor(), explain)
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

  private void get(UnaryCall call, byte[] bytes) throws InvalidProtocolBufferException {
    Messages.requireSmall(bytes.length);
    String id = GetRequest.parseFrom(bytes).getId();
    ask(new TaskQuery.Find(id, new QueryReply(call, view -> TaskMessages.get(id, view))));
  }

  private void cancel(UnaryCall call, byte[] bytes) throws InvalidProtocolBufferException {
    Messages.requireSmall(bytes.length);
    String id = CancelRequest.parseFrom(bytes).getId();
    ask(new TaskQuery.Cancel(id, new QueryReply(call, TaskMessages::cancelled)));
  }

  private void explain(UnaryCall call, byte[] bytes) throws InvalidProtocolBufferException {
    Messages.requireSmall(bytes.length);
    String id = ExplainRequest.parseFrom(bytes).getId();
    ask(new TaskQuery.Find(id, new QueryReply(call, TaskMessages::explained)));
  }

  private void await(UnaryCall call, byte[] bytes) throws InvalidProtocolBufferException {
    Messages.requireSmall(bytes.length);
    AwaitRequest request = AwaitRequest.parseFrom(bytes);
    int seconds = request.getTimeoutSeconds() == 0 ? 60 : request.getTimeoutSeconds();
    if (seconds < 0 || seconds > MAX_AWAIT_SECONDS) {
      throw new BadRequest("timeout_seconds is above " + MAX_AWAIT_SECONDS);
    }
    var query = new TaskQuery.Await(request.getId(), new QueryReply(call, TaskMessages::awaited));
    call.whenGoneOrAfter(seconds, () -> intake.submit(new Command.AskNoMore(query)));
    ask(query);
  }

  private void ask(TaskQuery query) {
    intake.request(new Command.Ask(query));
  }

  private record QueryReply(UnaryCall call, Function<TaskQuery.View, MessageLite> message)
      implements TaskQuery.Reply {
    @Override
    public void done(TaskQuery.@Nullable View view) {
      if (view == null) {
        call.fail(NOT_FOUND);
      } else {
        call.answerIfRead(() -> message.apply(view).toByteArray());
      }
    }

    @Override
    public void unavailable(String why) {
      call.fail(Status.UNAVAILABLE.withDescription(why));
    }

    @Override
    public boolean isGone() {
      return call.isCancelled();
    }
  }

  private record Reply(UnaryCall call, Enqueued tasks, EnqueueCounts counts)
      implements Command.EnqueueReply {
    @Override
    public void done(List<EnqueueOutcome> outcomes) {
      counts.enqueued(tasks, outcomes);
      call.answerIfRead(() -> tasks.response(outcomes).toByteArray());
    }

    @Override
    public void unavailable(String why) {
      call.fail(Status.UNAVAILABLE.withDescription(why));
    }
  }
}
