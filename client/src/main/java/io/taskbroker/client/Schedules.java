package io.taskbroker.client;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.taskbroker.client.grpc.GrpcTransport;
import io.taskbroker.protocol.v1.Cron;
import io.taskbroker.protocol.v1.DeleteScheduleRequest;
import io.taskbroker.protocol.v1.DeleteScheduleResponse;
import io.taskbroker.protocol.v1.GetScheduleRequest;
import io.taskbroker.protocol.v1.ListSchedulesRequest;
import io.taskbroker.protocol.v1.ListSchedulesResponse;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.PauseScheduleRequest;
import io.taskbroker.protocol.v1.ResumeScheduleRequest;
import io.taskbroker.protocol.v1.RunScheduleNowRequest;
import io.taskbroker.protocol.v1.RunScheduleNowResponse;
import io.taskbroker.protocol.v1.UpsertScheduleRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// The schedules of the brokers of a client ([TaskClient#schedules]). Thread-safe; each method
/// waits for the answer, and repeats the request for up to 30 s.
///
/// Methods throw
/// - [TaskRejectedException] if the broker refuses the request for good;
/// - [TaskNotFoundException] if there is no schedule of that name;
/// - [BrokerFullException] if there are too many schedules;
/// - [BrokerUnavailableException] if no broker answers in time.
public final class Schedules {
  private final TaskClient client;
  private final GrpcTransport transport;

  Schedules(TaskClient client, GrpcTransport transport) {
    this.client = client;
    this.transport = transport;
  }

  /// Creates the schedule, or replaces that of its name. The same schedule again changes nothing,
  /// so that each start of an application may call this; another one goes on with its first time
  /// after now.
  public ScheduleState upsert(Schedule schedule) {
    var request = UpsertScheduleRequest.newBuilder().setSchedule(encode(schedule)).build();
    return state(
        transport.schedules(
            "put schedule " + schedule.name(), (stub, answer) -> stub.upsert(request, answer)));
  }

  /// The schedule of a name; empty if there is none.
  public Optional<ScheduleState> find(String name) {
    var request = GetScheduleRequest.newBuilder().setName(name).build();
    try {
      return Optional.of(
          state(
              transport.schedules(
                  "get schedule " + name, (stub, answer) -> stub.get(request, answer))));
    } catch (TaskNotFoundException e) {
      return Optional.empty();
    }
  }

  /// All schedules, in the order of names.
  public List<ScheduleState> list() {
    List<ScheduleState> all = new ArrayList<>();
    ListSchedulesResponse page;
    do {
      var request =
          ListSchedulesRequest.newBuilder()
              .setAfter(all.isEmpty() ? "" : all.get(all.size() - 1).name())
              .build();
      page = transport.schedules("list schedules", (stub, answer) -> stub.list(request, answer));
      page.getSchedulesList().forEach(each -> all.add(state(each)));
    } while (page.getMore());
    return List.copyOf(all);
  }

  /// Pauses a schedule: its times pass without a call.
  public ScheduleState pause(String name) {
    var request = PauseScheduleRequest.newBuilder().setName(name).build();
    return state(
        transport.schedules(
            "pause schedule " + name, (stub, answer) -> stub.pause(request, answer)));
  }

  /// Resumes a schedule with its first time after now.
  public ScheduleState resume(String name) {
    var request = ResumeScheduleRequest.newBuilder().setName(name).build();
    return state(
        transport.schedules(
            "resume schedule " + name, (stub, answer) -> stub.resume(request, answer)));
  }

  /// Enqueues the call of a schedule now, beside its times, paused or not.
  public TaskHandle runNow(String name) {
    var request =
        RunScheduleNowRequest.newBuilder()
            .setName(name)
            .setIdempotencyKey(UUID.randomUUID().toString())
            .build();
    RunScheduleNowResponse response =
        transport.schedules("run schedule " + name, (stub, answer) -> stub.runNow(request, answer));
    return client.handle(response.getTaskId());
  }

  /// Deletes a schedule, if there is one. Calls that it has enqueued stay.
  public void delete(String name) {
    var request = DeleteScheduleRequest.newBuilder().setName(name).build();
    DeleteScheduleResponse ignored =
        transport.schedules(
            "delete schedule " + name, (stub, answer) -> stub.delete(request, answer));
  }

  private io.taskbroker.protocol.v1.Schedule encode(Schedule schedule) {
    var wire =
        io.taskbroker.protocol.v1.Schedule.newBuilder()
            .setName(schedule.name())
            .setTask(client.encode(schedule.call()).getTask().toBuilder().clearId())
            .setMissed(
                switch (schedule.missed()) {
                  case LATEST -> MissedSlots.MISSED_SLOTS_LATEST;
                  case SKIP -> MissedSlots.MISSED_SLOTS_SKIP;
                  case ALL -> MissedSlots.MISSED_SLOTS_ALL;
                })
            .setMissedLimit(schedule.missedLimit())
            .setDescription(schedule.description());
    schedule
        .cron()
        .ifPresent(cron ->
            wire.setCron(
                Cron.newBuilder()
                    .setExpression(cron)
                    .setTimeZone(schedule.zone().orElseThrow().getId())));
    schedule.every().ifPresent(every -> wire.setEvery(duration(every)));
    schedule.phase().ifPresent(phase -> wire.setPhase(duration(phase)));
    schedule.start().ifPresent(start -> wire.setStart(timestamp(start)));
    schedule.end().ifPresent(end -> wire.setEnd(timestamp(end)));
    schedule.jitter().ifPresent(jitter -> wire.setJitter(duration(jitter)));
    return wire.build();
  }

  private static ScheduleState state(io.taskbroker.protocol.v1.ScheduleState state) {
    return new ScheduleState(
        state.getSchedule().getName(),
        state.getPaused(),
        state.hasNextSlot() ? Optional.of(instant(state.getNextSlot())) : Optional.empty(),
        state.hasLastSlot() ? Optional.of(instant(state.getLastSlot())) : Optional.empty(),
        state.getLastTaskId().isEmpty() ? Optional.empty() : Optional.of(state.getLastTaskId()),
        state.getSchedule().getTask().getName(),
        state.getSchedule().getDescription());
  }

  private static Duration duration(java.time.Duration duration) {
    return Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  private static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }
}
