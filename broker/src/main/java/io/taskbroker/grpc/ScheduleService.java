package io.taskbroker.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.taskbroker.grpc.UnaryMethod.BadRequest;
import io.taskbroker.protocol.v1.DeleteScheduleRequest;
import io.taskbroker.protocol.v1.DeleteScheduleResponse;
import io.taskbroker.protocol.v1.GetScheduleRequest;
import io.taskbroker.protocol.v1.ListSchedulesRequest;
import io.taskbroker.protocol.v1.ListSchedulesResponse;
import io.taskbroker.protocol.v1.NextTimesRequest;
import io.taskbroker.protocol.v1.NextTimesResponse;
import io.taskbroker.protocol.v1.PauseScheduleRequest;
import io.taskbroker.protocol.v1.ResumeScheduleRequest;
import io.taskbroker.protocol.v1.RunScheduleNowRequest;
import io.taskbroker.protocol.v1.RunScheduleNowResponse;
import io.taskbroker.protocol.v1.UpsertScheduleRequest;
import io.taskbroker.schedule.ScheduleException;
import io.taskbroker.schedule.Schedules;
import io.taskbroker.wire.Signatures;
import io.taskbroker.wire.WireCheck;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// gRPC `taskbroker.v1.ScheduleService` (docs/schedules.md). Used by the event loop.
final class ScheduleService {
  static final String NAME = "taskbroker.v1.ScheduleService";
  private static final Logger log = LoggerFactory.getLogger(ScheduleService.class);

  /// Largest request: a schedule has 64 KiB at most.
  private static final int MAX_BYTES = 66 << 10;

  /// Memory of a decoded request, as a multiple of its bytes: that of the worst, with small unknown
  /// fields, which are stored.
  private static final int DECODED = 16;

  private final Schedules schedules;
  private final ServiceCounts calls;

  ScheduleService(Schedules schedules, ServiceCounts calls) {
    this.schedules = schedules;
    this.calls = calls;
  }

  ServerServiceDefinition definition(Signatures signatures) {
    var service = ServerServiceDefinition.builder(NAME);
    add(service, signatures, "Upsert", this::upsert);
    add(service, signatures, "Get", this::get);
    add(service, signatures, "List", this::list);
    add(service, signatures, "Delete", this::delete);
    add(service, signatures, "Pause", this::pause);
    add(service, signatures, "Resume", this::resume);
    add(service, signatures, "RunNow", this::runNow);
    add(service, signatures, "NextTimes", this::nextTimes);
    return service.build();
  }

  private void add(
      ServerServiceDefinition.Builder service,
      Signatures signatures,
      String method,
      UnaryMethod.Handler handler) {
    String path = NAME + "/" + method;
    UnaryMethod unary =
        new UnaryMethod(
            path,
            signatures,
            calls.method("/" + path),
            (call, request) -> {
              String flaw = WireCheck.flaw(request, 0, request.length);
              if (flaw != null) {
                throw new InvalidProtocolBufferException(flaw);
              }
              if (request.length > MAX_BYTES) { // before it is decoded (G7)
                throw new BadRequest(
                    "The request has more than "
                        + MAX_BYTES
                        + " bytes: pass a reference to large arguments");
              }
              if (!call.holdRequest((long) request.length * DECODED)) { // it may wait for the store
                call.fail(Connection.TOO_MANY);
                return;
              }
              handler.handle(call, request);
            });
    service.addMethod(unary.descriptor(), unary);
  }

  private void upsert(UnaryCall call, byte[] request) throws InvalidProtocolBufferException {
    answer(
        call,
        schedules.upsert(UpsertScheduleRequest.parseFrom(request).getSchedule()),
        state -> state);
  }

  private void get(UnaryCall call, byte[] request) throws InvalidProtocolBufferException {
    answer(call, schedules.get(GetScheduleRequest.parseFrom(request).getName()), state -> state);
  }

  private void list(UnaryCall call, byte[] request) throws InvalidProtocolBufferException {
    ListSchedulesRequest asked = ListSchedulesRequest.parseFrom(request);
    answer(
        call,
        schedules.list(asked.getAfter(), asked.getLimit()),
        page ->
            ListSchedulesResponse.newBuilder()
                .addAllSchedules(page.schedules())
                .setMore(page.more())
                .build());
  }

  private void delete(UnaryCall call, byte[] request) throws InvalidProtocolBufferException {
    answer(
        call,
        schedules.delete(DeleteScheduleRequest.parseFrom(request).getName()),
        _ -> DeleteScheduleResponse.getDefaultInstance());
  }

  private void pause(UnaryCall call, byte[] request) throws InvalidProtocolBufferException {
    answer(
        call, schedules.pause(PauseScheduleRequest.parseFrom(request).getName()), state -> state);
  }

  private void resume(UnaryCall call, byte[] request) throws InvalidProtocolBufferException {
    answer(
        call, schedules.resume(ResumeScheduleRequest.parseFrom(request).getName()), state -> state);
  }

  private void runNow(UnaryCall call, byte[] request) throws InvalidProtocolBufferException {
    RunScheduleNowRequest asked = RunScheduleNowRequest.parseFrom(request);
    answer(
        call,
        schedules.runNow(asked.getName(), asked.getIdempotencyKey()),
        id -> RunScheduleNowResponse.newBuilder().setTaskId(id).build());
  }

  private void nextTimes(UnaryCall call, byte[] request) throws InvalidProtocolBufferException {
    NextTimesRequest asked = NextTimesRequest.parseFrom(request);
    long after = schedules.now();
    if (asked.hasAfter()) {
      if (asked.getAfter().getSeconds() < 0 || asked.getAfter().getSeconds() > LAST_SECOND) {
        throw new BadRequest("after is not between 1970 and 9999");
      }
      after = asked.getAfter().getSeconds() * 1_000 + asked.getAfter().getNanos() / 1_000_000;
    }
    answer(
        call,
        schedules.nextTimes(asked.getSchedule(), asked.getCount(), after),
        times -> NextTimesResponse.newBuilder().addAllTimes(times).build());
  }

  /// The end of the year 9999.
  private static final long LAST_SECOND = 253_402_300_799L;

  private static <T> void answer(
      UnaryCall call, CompletableFuture<T> result, Function<T, MessageLite> message) {
    var _ =
        result.whenComplete((found, failure) -> {
          if (failure == null) {
            call.answerIfRead(() -> message.apply(found).toByteArray());
          } else {
            call.fail(status(failure));
          }
        });
  }

  private static Status status(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (!(cause instanceof ScheduleException refused)) {
      log.error("Cannot answer a call about schedules", cause);
      return Status.INTERNAL.withDescription("Cannot handle the call");
    }
    Status status =
        switch (refused.kind()) {
          case INVALID -> Status.INVALID_ARGUMENT;
          case NOT_FOUND -> Status.NOT_FOUND;
          case FULL -> Status.RESOURCE_EXHAUSTED;
          case REFUSED -> Status.FAILED_PRECONDITION;
          case UNAVAILABLE -> Status.UNAVAILABLE;
        };
    return status.withDescription(refused.getMessage());
  }
}
