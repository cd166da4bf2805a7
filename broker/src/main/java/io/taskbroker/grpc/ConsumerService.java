package io.taskbroker.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.WireFormat;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.taskbroker.grpc.UnaryMethod.BadRequest;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.proto.v1.FetchNextTask;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.wire.Frames;
import io.taskbroker.wire.Signatures;
import io.taskbroker.wire.WireCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// gRPC `ConsumerService`: translates worker calls to engine commands, with the codes and texts of
/// reference-spec 2.7. Responds when the engine does; to reports, when they are durable (G2). Used
/// by the event loop.
final class ConsumerService {
  static final String NAME = "sentry_protos.taskbroker.v1.ConsumerService";

  private static final String GET_TASK = NAME + "/GetTask";
  private static final String SET_STATUS = NAME + "/SetTaskStatus";
  private static final String SET_BATCH = NAME + "/SetBatchActivationStatus";

  private static final RareWarning NO_APPLICATION = new RareWarning(ConsumerService.class);
  private static final int UPDATES_TAG =
      (SetBatchActivationStatusRequest.UPDATES_FIELD_NUMBER << 3)
          | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final byte[] EMPTY = {};

  /// Memory of one decoded update beyond its encoded bytes.
  private static final int UPDATE_BYTES = 128;

  private static final Status PUSH_MODE =
      Status.PERMISSION_DENIED.withDescription("Cannot call while broker is in PUSH mode");
  private static final Status NOTHING_PENDING =
      Status.NOT_FOUND.withDescription("No pending activations");
  private static final Status UNREAD =
      Status.UNAVAILABLE.withDescription(
          "Too many responses are unread on this connection or address: no task is delivered"
              + " until they are read");

  private final CommandSink intake;
  private final boolean pushMode;
  private final int maxUpdates;
  private final ServiceCounts counts;

  ConsumerService(GrpcOptions options, CommandSink intake, ServiceCounts counts) {
    this.counts = counts;
    this.intake = intake;
    this.pushMode = options.pushMode();
    this.maxUpdates = options.limits().updates();
  }

  ServerServiceDefinition definition(Signatures signatures) {
    UnaryMethod getTask =
        new UnaryMethod(GET_TASK, signatures, counts.getTask("/" + GET_TASK), this::getTask);
    UnaryMethod setTaskStatus =
        new UnaryMethod(
            SET_STATUS, signatures, counts.setTaskStatus("/" + SET_STATUS), this::setTaskStatus);
    UnaryMethod setBatchActivationStatus =
        new UnaryMethod(SET_BATCH, signatures, counts.setBatch("/" + SET_BATCH), this::setBatch);
    return ServerServiceDefinition.builder(NAME)
        .addMethod(getTask.descriptor(), getTask)
        .addMethod(setTaskStatus.descriptor(), setTaskStatus)
        .addMethod(setBatchActivationStatus.descriptor(), setBatchActivationStatus)
        .build();
  }

  private void getTask(UnaryCall call, byte[] bytes) throws InvalidProtocolBufferException {
    if (pushMode) {
      call.fail(PUSH_MODE);
      return;
    }
    Messages.requireSmall(bytes.length);
    check(bytes, 0, bytes.length);
    GetTaskRequest request = GetTaskRequest.parseFrom(bytes);
    String application = request.hasApplication() ? request.getApplication() : null;
    String namespace = request.hasNamespace() ? request.getNamespace() : null;
    if (lacksApplication(application, namespace)) {
      call.fail(NOTHING_PENDING);
      return;
    }
    call.asksForTask(application);
    intake.request(new Command.Claim(application, namespace, new TaskReply(call)));
  }

  private void setTaskStatus(UnaryCall call, byte[] bytes) throws InvalidProtocolBufferException {
    Messages.requireSmall(bytes.length);
    check(bytes, 0, bytes.length);
    SetTaskStatusRequest request = SetTaskStatusRequest.parseFrom(bytes);
    Command.Update update = update(request);
    call.reports();
    Command.Claim next = next(request, call);
    var reply = new CountedReply(call, counts, update.status(), next != null);
    intake.request(new Command.Report(List.of(update), next, reply));
  }

  private void setBatch(UnaryCall call, byte[] bytes) throws InvalidProtocolBufferException {
    List<Command.Update> updates = updates(bytes);
    if (updates.isEmpty()) {
      call.answer(EMPTY);
      return;
    }
    if (!call.holdRequest((long) updates.size() * UPDATE_BYTES)) {
      call.fail(Connection.TOO_MANY);
      return;
    }
    call.reports();
    counts.batch(updates);
    intake.request(new Command.Report(updates, null, new BatchReply(call, counts, updates)));
  }

  private Command.@Nullable Claim next(SetTaskStatusRequest request, UnaryCall call) {
    if (pushMode || !request.hasFetchNextTask()) {
      return null;
    }
    FetchNextTask fetch = request.getFetchNextTask();
    String application = fetch.hasApplication() ? fetch.getApplication() : null;
    String namespace = fetch.hasNamespace() ? fetch.getNamespace() : null;
    if (lacksApplication(application, namespace)) {
      return null;
    }
    call.asksForTask(application);
    return new Command.Claim(application, namespace, new StatusReply(call));
  }

  private static boolean lacksApplication(
      @Nullable String application, @Nullable String namespace) {
    if (application != null || namespace == null) {
      return false;
    }
    NO_APPLICATION.log(
        "A worker requested tasks of namespace '{}' without an application: it gets none",
        namespace);
    return true;
  }

  /// Decodes the updates of a `SetBatchActivationStatusRequest` one by one, so that the first
  /// invalid one ends the work.
  private List<Command.Update> updates(byte[] bytes) throws InvalidProtocolBufferException {
    List<Command.Update> updates = new ArrayList<>();
    check(bytes, 0, bytes.length);
    CodedInputStream in = CodedInputStream.newInstance(bytes);
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag != UPDATES_TAG) {
          skip(in, tag);
          continue;
        }
        if (updates.size() == maxUpdates) {
          throw new BadRequest("Too many updates in one call, expects at most " + maxUpdates);
        }
        int begin = in.getTotalBytesRead();
        Messages.requireSmall(
            CodedInputStream.newInstance(bytes, begin, bytes.length - begin).readRawVarint32());
        SetTaskStatusRequest update =
            in.readMessage(SetTaskStatusRequest.parser(), ExtensionRegistryLite.getEmptyRegistry());
        check(bytes, WireCheck.afterNumber(bytes, begin), in.getTotalBytesRead());
        updates.add(update(update));
      }
    } catch (InvalidProtocolBufferException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidProtocolBufferException(e);
    }
    return updates;
  }

  /// Rejects messages that the generated Java parser accepts, unlike those of other languages.
  private static void check(byte[] bytes, int from, int to) throws InvalidProtocolBufferException {
    String defect = WireCheck.flaw(bytes, from, to);
    if (defect != null) {
      throw new InvalidProtocolBufferException(defect);
    }
  }

  /// Skips an unknown field by reading it, as the generated parser does: `skipField` is stricter
  /// with numbers, and ignores the end of a group that did not begin.
  private static void skip(CodedInputStream in, int tag) throws IOException {
    if (!UnknownFieldSet.newBuilder().mergeFieldFrom(tag, in)) {
      throw new InvalidProtocolBufferException("end of a group that did not begin");
    }
  }

  private static Command.Update update(SetTaskStatusRequest request) {
    long delay = request.getDelayOnRetry();
    return new Command.Update(
        request.getId(),
        status(request.getStatusValue()),
        request.hasMaxAttempts() ? Integer.toUnsignedLong(request.getMaxAttempts()) : -1,
        request.hasDelayOnRetry() ? (delay < 0 ? Long.MAX_VALUE : delay) : -1);
  }

  private static io.taskbroker.activation.Status status(int number) {
    return switch (number) {
      case 3 -> io.taskbroker.activation.Status.FAILURE;
      case 4 -> io.taskbroker.activation.Status.RETRY;
      case 5 -> io.taskbroker.activation.Status.COMPLETE;
      case 0 -> throw notFinal("Unspecified");
      case 1 -> throw notFinal("Pending");
      case 2 -> throw notFinal("Processing");
      default ->
          throw new BadRequest("Unable to deserialize status: unknown enumeration value " + number);
    };
  }

  private static BadRequest notFinal(String name) {
    return new BadRequest(
        "Invalid status, expects 3 (Failure), 4 (Retry), or 5 (Complete), but got: " + name);
  }

  /// Reply to `GetTask`. A task that could not be sent soon is not delivered (G7): it would not run
  /// before its deadline, and an at-most-once task would never run.
  private record TaskReply(UnaryCall call) implements Command.ClaimReply {
    @Override
    public void done(@Nullable Delivery delivery) {
      if (delivery == null) {
        call.fail(call.canTakeResponse() ? NOTHING_PENDING : UNREAD);
      } else {
        call.answer(Frames.ofTask(delivery.payload()));
      }
    }

    @Override
    public void unavailable(String why) {
      call.fail(Status.UNAVAILABLE.withDescription(why));
    }

    @Override
    public boolean isGone() {
      return !call.canTakeResponse();
    }
  }

  /// Reply to one report; counts its outcome.
  private static final class CountedReply implements Command.ReportReply {
    private final UnaryCall call;
    private final ServiceCounts counts;
    private final io.taskbroker.activation.Status status;
    private final boolean fetches;
    private boolean known = true;

    CountedReply(
        UnaryCall call,
        ServiceCounts counts,
        io.taskbroker.activation.Status status,
        boolean fetches) {
      this.call = call;
      this.counts = counts;
      this.status = status;
      this.fetches = fetches;
    }

    @Override
    public void unknown() {
      known = false;
    }

    @Override
    public void done(@Nullable Delivery next) {
      counts.reported(status, known);
      if (fetches) {
        counts.fetchedNext(call.nanos());
      }
      call.answer(next == null ? EMPTY : Frames.ofTask(next.payload()));
    }

    @Override
    public void unavailable(String why) {
      counts.reportFailed(status);
      call.fail(Status.UNAVAILABLE.withDescription(why));
    }

    @Override
    public boolean isGone() {
      return !call.canTakeResponse();
    }
  }

  /// Reply to the reports of one call; counts their outcome.
  private record BatchReply(UnaryCall call, ServiceCounts counts, List<Command.Update> updates)
      implements Command.ReportReply {
    @Override
    public void done(@Nullable Delivery next) {
      counts.batchEnded(updates, "ok");
      call.answer(EMPTY);
    }

    @Override
    public void unavailable(String why) {
      counts.batchEnded(updates, "error");
      call.fail(Status.UNAVAILABLE.withDescription(why));
    }

    @Override
    public boolean isGone() {
      return !call.canTakeResponse();
    }
  }

  /// Reply to a report with the next task if there is one, never with its absence.
  private record StatusReply(UnaryCall call) implements Command.ClaimReply {
    @Override
    public void done(@Nullable Delivery next) {
      call.answer(next == null ? EMPTY : Frames.ofTask(next.payload()));
    }

    @Override
    public void unavailable(String why) {
      call.fail(Status.UNAVAILABLE.withDescription(why));
    }

    @Override
    public boolean isGone() {
      return !call.canTakeResponse();
    }
  }
}
