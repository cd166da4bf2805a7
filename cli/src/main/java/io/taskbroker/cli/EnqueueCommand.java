package io.taskbroker.cli;

import com.google.protobuf.MessageLite;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.taskbroker.protocol.v1.AwaitRequest;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.OutcomeKind;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Enqueues one task at a broker, and prints its id.
@Command(
    name = "enqueue",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Enqueues one task and prints its id.",
    footer = {"", "Exit codes: 1 if it was not enqueued, or with --wait if it did not complete."})
final class EnqueueCommand implements Callable<Integer> {
  private static final int CALL_SECONDS = 30;
  private static final int WAIT_SECONDS = 60;

  @Parameters(paramLabel = "TASK", description = "Name of the task.")
  private String task = "";

  @Mixin private TaskOptions options = new TaskOptions();

  @Option(
      names = "--json",
      paramLabel = "JSON",
      description = "The arguments as they are, in place of --arg.")
  private @Nullable String json;

  @Option(names = "--id", description = "Id of the task; a second task of it is not enqueued.")
  private @Nullable String id;

  @Option(
      names = "--delay",
      paramLabel = "TIME",
      converter = DurationOption.class,
      description = "Runs it no sooner than after this time, such as 500ms, 10s, 5m, 2h or 1d.")
  private @Nullable Duration delay;

  @Option(
      names = "--attempts",
      defaultValue = "1",
      description = "How often it is tried at most (default: ${DEFAULT-VALUE}).")
  private int attempts;

  @Option(
      names = "--priority",
      defaultValue = "0",
      description =
          "-4 to 4: a greater one runs before others of its application (default:"
              + " ${DEFAULT-VALUE}).")
  private int priority;

  @Option(
      names = "--wait",
      description = "Waits until the task has ended; prints how, and its result if it has one.")
  private boolean wait;

  @Mixin private BrokerAddress broker;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    ManagedChannel channel = broker.connect();
    try {
      return enqueue(channel);
    } catch (StatusRuntimeException e) {
      throw new CommandException(explained(e.getStatus()), e);
    } finally {
      channel.shutdownNow();
    }
  }

  private int enqueue(ManagedChannel channel) {
    if (attempts < 1) {
      throw new CommandException("--attempts " + attempts + " is less than 1");
    }
    PrintWriter out = spec.commandLine().getOut();
    String chosen = id == null ? UUID.randomUUID().toString() : id;
    EnqueueRequest request = request(chosen);
    EnqueueResult result = stub(channel, "Enqueue", request).enqueue(request).getResults(0);
    if (result.getStatus() == EnqueueStatus.ENQUEUE_STATUS_REJECTED) {
      throw new CommandException("the broker rejected the task: " + result.getMessage());
    }
    out.println(
        result.getStatus() == EnqueueStatus.ENQUEUE_STATUS_ALREADY_EXISTS
            ? chosen + " exists already"
            : chosen);
    out.flush();
    return wait ? await(channel, chosen, out) : 0;
  }

  private int await(ManagedChannel channel, String chosen, PrintWriter out) {
    AwaitRequest request =
        AwaitRequest.newBuilder().setId(chosen).setTimeoutSeconds(WAIT_SECONDS).build();
    while (true) {
      var response =
          stub(channel, "Await", request)
              .withDeadlineAfter(WAIT_SECONDS + CALL_SECONDS, TimeUnit.SECONDS)
              .await(request);
      if (response.hasOutcome()) {
        OutcomeKind kind = response.getOutcome().getKind();
        out.println(kind.name().substring("OUTCOME_KIND_".length()).toLowerCase(Locale.ROOT));
        String result = response.getOutcome().getResult().toStringUtf8();
        if (!result.isEmpty()) {
          out.println(result.stripTrailing());
        }
        out.flush();
        return kind == OutcomeKind.OUTCOME_KIND_COMPLETED ? 0 : 1;
      }
    }
  }

  private TaskServiceGrpc.TaskServiceBlockingStub stub(
      ManagedChannel channel, String method, MessageLite request) {
    return TaskServiceGrpc.newBlockingStub(channel)
        .withWaitForReady()
        .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
        .withInterceptors(
            broker.signature("/taskbroker.v1.TaskService/" + method, request.toByteArray()));
  }

  private EnqueueRequest request(String chosen) {
    Task.Builder built = Task.newBuilder().setId(chosen).setName(task).setPriority(priority);
    options.into(built, json);
    built.getRetryBuilder().setMaxAttempts(attempts);
    Duration after = delay;
    if (after != null) {
      Instant at = Instant.now().plus(after);
      built.getNotBeforeBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano());
    }
    return EnqueueRequest.newBuilder()
        .addTasks(NewTask.newBuilder().setTask(built).setKeepResult(wait))
        .build();
  }

  private String explained(Status status) {
    return switch (status.getCode()) {
      case UNAUTHENTICATED -> "the broker wants a signature: give --secret";
      case DEADLINE_EXCEEDED, UNAVAILABLE ->
          "no broker answers at " + broker.address() + ": start one with ./taskbroker dev";
      default -> "the broker answered " + status.getCode() + ": " + status.getDescription();
    };
  }
}
