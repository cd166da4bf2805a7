package io.taskbroker.schedule;

import static io.taskbroker.schedule.ScheduleSetup.cron;
import static io.taskbroker.schedule.ScheduleSetup.every;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Timestamp;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.EmbeddedBroker;
import io.taskbroker.grpc.EnqueuedTemplates;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.protocol.v1.DeleteScheduleRequest;
import io.taskbroker.protocol.v1.GetRequest;
import io.taskbroker.protocol.v1.GetScheduleRequest;
import io.taskbroker.protocol.v1.ListSchedulesRequest;
import io.taskbroker.protocol.v1.ListSchedulesResponse;
import io.taskbroker.protocol.v1.NextTimesRequest;
import io.taskbroker.protocol.v1.PauseScheduleRequest;
import io.taskbroker.protocol.v1.ResumeScheduleRequest;
import io.taskbroker.protocol.v1.RunScheduleNowRequest;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc.ScheduleServiceBlockingStub;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import io.taskbroker.protocol.v1.TaskState;
import io.taskbroker.protocol.v1.UpsertScheduleRequest;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Schedules of a whole broker, called over gRPC.
@Timeout(240)
final class SchedulesTest {
  @TempDir private Path dir;
  private EmbeddedBroker broker;
  private ManagedChannel channel;
  private ScheduleServiceBlockingStub schedules;

  @BeforeEach
  void start() {
    int port = Ports.free();
    broker =
        EmbeddedBroker.start(
            Map.of(
                "TASKBROKER_KAFKA_ENABLED", "false",
                "TASKBROKER_GRPC_ADDR", "127.0.0.1",
                "TASKBROKER_GRPC_PORT", Integer.toString(port),
                "TASKBROKER_METRICS_ADDR", "127.0.0.1:0",
                "TASKBROKER_STORE__SQLITE__PATH", dir.resolve("store.sqlite").toString()));
    channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    schedules = ScheduleServiceGrpc.newBlockingStub(channel);
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    broker.close();
  }

  @Test
  void slotsEnqueueTasksThatClientsSee() {
    upsert(every("tick", 1_000).build());
    await().atMost(Duration.ofSeconds(60)).until(() -> get("tick").getLastFiringsCount() >= 2);
    var task =
        TaskServiceGrpc.newBlockingStub(channel)
            .get(GetRequest.newBuilder().setId(get("tick").getLastTaskId()).build());
    assertThat(task.getState()).isEqualTo(TaskState.TASK_STATE_PENDING);
    assertThat(task.getTask().getName()).isEqualTo("report");
    assertThat(task.getTask().getHeadersMap()).containsKey("taskbroker-slot");
    assertThat(broker.failure()).isEmpty();
  }

  @Test
  void everyMethodAnswers() {
    Schedule schedule = cron("nightly", "0 3 * * *", "Europe/Vienna").build();
    ScheduleState created = upsert(schedule);
    assertThat(upsert(schedule)).isEqualTo(created);
    assertThat(get("nightly")).isEqualTo(created);
    ListSchedulesResponse page = schedules.list(ListSchedulesRequest.getDefaultInstance());
    assertThat(page.getSchedulesList()).containsExactly(created);
    assertThat(page.getMore()).isFalse();
    assertThat(
            schedules
                .pause(PauseScheduleRequest.newBuilder().setName("nightly").build())
                .getPaused())
        .isTrue();
    assertThat(
            schedules
                .resume(ResumeScheduleRequest.newBuilder().setName("nightly").build())
                .getNextSlot())
        .isEqualTo(created.getNextSlot());
    assertThat(
            schedules
                .nextTimes(
                    NextTimesRequest.newBuilder()
                        .setSchedule(schedule)
                        .setCount(1)
                        .setAfter(Timestamp.newBuilder().setSeconds(1_800_000_000L))
                        .build())
                .getTimesList())
        .containsExactly(Timestamp.newBuilder().setSeconds(1_800_064_800L).build());
    var run = RunScheduleNowRequest.newBuilder().setName("nightly").setIdempotencyKey("k").build();
    String id = schedules.runNow(run).getTaskId();
    assertThat(schedules.runNow(run).getTaskId()).isEqualTo(id);
    assertThat(schedules.runNow(run.toBuilder().clearIdempotencyKey().build()).getTaskId())
        .startsWith("schedule:nightly:run:");
    schedules.delete(DeleteScheduleRequest.newBuilder().setName("nightly").build());
    schedules.delete(DeleteScheduleRequest.newBuilder().setName("nightly").build());
    assertFails(Status.Code.NOT_FOUND, () -> get("nightly"));
  }

  /// Also by a stop: nobody waits for an answer that does not come.
  @Test
  void g7RequestsThatWaitAreBounded() {
    var idle =
        new Schedules(
            _ -> {},
            new NoEngine(),
            new EnqueuedTemplates(),
            false,
            new Metrics(),
            (_, _) -> {},
            SystemContext.system());
    List<CompletableFuture<?>> asked = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      asked.add(idle.get("x"));
    }
    assertThat(asked).noneMatch(CompletableFuture::isDone);
    assertThat(idle.get("x")).isCompletedExceptionally();
    idle.stop();
    assertThat(asked).allMatch(CompletableFuture::isCompletedExceptionally);
    assertThat(idle.get("x")).isCompletedExceptionally();
  }

  private static final class NoEngine implements CommandSink {
    @Override
    public void request(Command.Request request) {
      throw new AssertionError(request);
    }

    @Override
    public void submit(Command command) {
      throw new AssertionError(command);
    }
  }

  @Test
  void errorsAreNamed() {
    assertFails(Status.Code.NOT_FOUND, () -> get("none"));
    assertFails(
        Status.Code.NOT_FOUND,
        () -> schedules.runNow(RunScheduleNowRequest.newBuilder().setName("none").build()));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> upsert(every("", 1_000).build()));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> upsert(cron("x", "x", "UTC").build()));
    assertFails(
        Status.Code.INVALID_ARGUMENT,
        () -> schedules.list(ListSchedulesRequest.newBuilder().setLimit(1_001).build()));
  }

  private ScheduleState upsert(Schedule schedule) {
    return schedules.upsert(UpsertScheduleRequest.newBuilder().setSchedule(schedule).build());
  }

  private ScheduleState get(String name) {
    return schedules.get(GetScheduleRequest.newBuilder().setName(name).build());
  }

  private static void assertFails(Status.Code code, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class, e -> assertThat(e.getStatus().getCode()).isEqualTo(code));
  }
}
