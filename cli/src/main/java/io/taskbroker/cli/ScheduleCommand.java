package io.taskbroker.cli;

import io.taskbroker.protocol.v1.DeleteScheduleRequest;
import io.taskbroker.protocol.v1.Firing;
import io.taskbroker.protocol.v1.GetScheduleRequest;
import io.taskbroker.protocol.v1.ListSchedulesRequest;
import io.taskbroker.protocol.v1.ListSchedulesResponse;
import io.taskbroker.protocol.v1.NextTimesRequest;
import io.taskbroker.protocol.v1.PauseScheduleRequest;
import io.taskbroker.protocol.v1.ResumeScheduleRequest;
import io.taskbroker.protocol.v1.RunScheduleNowRequest;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.UpsertScheduleRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// Schedules that a broker keeps (docs/schedules.md).
@Command(
    name = "schedule",
    scope = ScopeType.INHERIT, // for the options and the exit codes of the commands
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Lists and changes the schedules of a broker.",
    footer = ScheduleCall.EXIT_CODES,
    subcommands = {
      ScheduleCommand.ListAll.class,
      ScheduleCommand.Show.class,
      ScheduleCommand.Put.class,
      ScheduleCommand.Pause.class,
      ScheduleCommand.Resume.class,
      ScheduleCommand.Run.class,
      ScheduleCommand.Delete.class,
      ScheduleCommand.Next.class
    })
final class ScheduleCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name a command, such as list");
  }

  @Command(name = "list", description = "Lists the schedules.")
  static final class ListAll extends ScheduleCall {
    @Override
    void call(Connection connection) {
      List<ScheduleState> found = new ArrayList<>();
      ListSchedulesResponse page;
      String after = "";
      do {
        ListSchedulesRequest request = ListSchedulesRequest.newBuilder().setAfter(after).build();
        page = connection.stub("List", request).list(request);
        found.addAll(page.getSchedulesList());
        after = found.isEmpty() ? "" : found.getLast().getSchedule().getName();
      } while (page.getMore());
      if (wantsJson()) {
        printJson(found.stream().map(ScheduleView::json).toList());
        return;
      }
      var table = new Table("NAME", "TIMES", "TASK", "NEXT", "LAST");
      for (ScheduleState state : found) {
        table.add(
            state.getSchedule().getName(),
            ScheduleView.times(state.getSchedule()),
            state.getSchedule().getTask().getName(),
            ScheduleView.next(state),
            state.hasLastSlot() ? ScheduleView.text(state.getLastSlot()) : "");
      }
      table.print(out());
      out().println(found.size() + " schedules");
    }
  }

  /// Command about one schedule.
  abstract static class OfOne extends ScheduleCall {
    @Parameters(paramLabel = "NAME", description = "Name of the schedule.")
    String name = "";

    void print(ScheduleState state) {
      if (wantsJson()) {
        printJson(ScheduleView.json(state));
      } else {
        out()
            .println(
                Table.printable(
                    state.getSchedule().getName()
                        + ": "
                        + ScheduleView.times(state.getSchedule())
                        + ", next "
                        + ScheduleView.next(state)));
      }
    }
  }

  @Command(name = "show", description = "Shows a schedule and what became of its latest slots.")
  static final class Show extends OfOne {
    @Override
    void call(Connection connection) {
      GetScheduleRequest request = GetScheduleRequest.newBuilder().setName(name).build();
      ScheduleState state = connection.stub("Get", request).get(request);
      print(state);
      if (!wantsJson()) {
        var table = new Table("SLOT", "AT", "OUTCOME", "TASK");
        for (Firing firing : state.getLastFiringsList()) {
          table.add(
              ScheduleView.text(firing.getSlot()),
              ScheduleView.text(firing.getAt()),
              ScheduleView.outcome(firing.getOutcome()),
              firing.getTaskId());
        }
        table.print(out());
      }
    }
  }

  @Command(
      name = "put",
      description = "Creates or replaces a schedule; the same one again changes nothing.")
  static final class Put extends OfOne {
    @Parameters(paramLabel = "TASK", description = "Name of the task that it enqueues.")
    private String task = "";

    @ArgGroup(exclusive = false, multiplicity = "1")
    private ScheduleOptions.Times times = new ScheduleOptions.Times();

    @Mixin private ScheduleOptions options;

    @Override
    void call(Connection connection) {
      Schedule.Builder schedule = Schedule.newBuilder().setName(name);
      times.into(schedule);
      options.into(schedule, task);
      UpsertScheduleRequest request =
          UpsertScheduleRequest.newBuilder().setSchedule(schedule).build();
      print(connection.stub("Upsert", request).upsert(request));
    }
  }

  @Command(name = "pause", description = "Pauses a schedule: its slots pass without a task.")
  static final class Pause extends OfOne {
    @Override
    void call(Connection connection) {
      PauseScheduleRequest request = PauseScheduleRequest.newBuilder().setName(name).build();
      print(connection.stub("Pause", request).pause(request));
    }
  }

  @Command(name = "resume", description = "Resumes a schedule with the first slot after now.")
  static final class Resume extends OfOne {
    @Override
    void call(Connection connection) {
      ResumeScheduleRequest request = ResumeScheduleRequest.newBuilder().setName(name).build();
      print(connection.stub("Resume", request).resume(request));
    }
  }

  @Command(name = "run", description = "Enqueues the task of a schedule now, and prints its id.")
  static final class Run extends OfOne {
    @Override
    void call(Connection connection) {
      RunScheduleNowRequest request = RunScheduleNowRequest.newBuilder().setName(name).build();
      String id = connection.stub("RunNow", request).runNow(request).getTaskId();
      if (wantsJson()) {
        printJson(Map.of("task_id", id));
      } else {
        out().println(Table.printable(id));
      }
    }
  }

  @Command(
      name = "delete",
      description = "Deletes a schedule, if it exists. Tasks that it has enqueued stay.")
  static final class Delete extends OfOne {
    @Override
    void call(Connection connection) {
      DeleteScheduleRequest request = DeleteScheduleRequest.newBuilder().setName(name).build();
      var _ = connection.stub("Delete", request).delete(request);
      if (wantsJson()) {
        printJson(Map.of("deleted", name));
      } else {
        out().println(Table.printable(name + " is deleted"));
      }
    }
  }

  @Command(
      name = "next",
      description = "Shows the next slots of a schedule, or of --cron or --every.")
  static final class Next extends ScheduleCall {
    @Parameters(paramLabel = "NAME", arity = "0..1", description = "Name of a schedule.")
    private @Nullable String name;

    @ArgGroup(exclusive = false)
    private ScheduleOptions.@Nullable Times times;

    @Option(
        names = "--count",
        paramLabel = "N",
        defaultValue = "10",
        description = "How many, 100 at most (default: ${DEFAULT-VALUE}).")
    private int count;

    @Override
    void call(Connection connection) {
      Schedule.Builder schedule = Schedule.newBuilder();
      if ((name == null) == (times == null)) {
        throw new ParameterException(
            spec.commandLine(), "give the name of a schedule, or --cron or --every");
      }
      if (times != null) {
        times.into(schedule);
      } else {
        GetScheduleRequest request = GetScheduleRequest.newBuilder().setName(name).build();
        schedule.mergeFrom(connection.stub("Get", request).get(request).getSchedule());
      }
      NextTimesRequest request =
          NextTimesRequest.newBuilder().setSchedule(schedule).setCount(count).build();
      List<String> found =
          connection.stub("NextTimes", request).nextTimes(request).getTimesList().stream()
              .map(ScheduleView::text)
              .toList();
      if (wantsJson()) {
        printJson(found);
      } else {
        found.forEach(out()::println);
      }
    }
  }
}
