package io.taskbroker.cli;

import io.taskbroker.Broker;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.control.ControlClient;
import io.taskbroker.control.ControlException;
import io.taskbroker.inflight.api.QuarantineAnswer;
import io.taskbroker.inflight.api.QuarantineRequest;
import io.taskbroker.inflight.api.QuarantineRequest.Action;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Lists, releases, retargets and discards retries and dead letters that a running broker cannot
/// produce. Exit code 0 if the broker did what was asked, else 1.
@Command(
    name = "quarantine",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Lists, releases, retargets or discards tasks that a running broker cannot produce to Kafka.",
      "Run it on the broker's machine, as its user, with its configuration."
    })
final class QuarantineCommand {
  private static final int CHANGED_AT_A_TIME = 1_000;

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  /// Options that locate the broker.
  static final class Target {
    @Option(
        names = {"-c", "--config"},
        paramLabel = "FILE",
        description = "The broker's YAML file; TASKBROKER_* variables override it.")
    private @Nullable Path file;
  }

  /// Options that select tasks.
  static final class Selection {
    @Parameters(paramLabel = "ID", arity = "0..*", description = "Ids of tasks.")
    private List<String> ids = List.of();

    @Option(names = "--topic", paramLabel = "TOPIC", description = "All tasks for this topic.")
    private String topic = "";

    @Option(names = "--all", description = "All quarantined tasks.")
    private boolean all;
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Prints one line per task, with tab-separated columns.")
  int list(
      @Mixin Target target,
      @Option(names = "--topic", paramLabel = "TOPIC", description = "Only tasks for this topic.")
          @Nullable String topic,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "1000",
              description = "Maximum number of lines, up to 10000 (default: ${DEFAULT-VALUE}).")
          int limit)
      throws InterruptedException {
    var request =
        new QuarantineRequest(Action.LIST, List.of(), topic == null ? "" : topic, "", limit);
    return send(target, request, this::show);
  }

  @Command(
      name = "release",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Makes the broker retry quarantined tasks at once.")
  int release(@Mixin Target target, @Mixin Selection which) throws InterruptedException {
    return send(
        target,
        request(Action.RELEASE, which, ""),
        answer -> report("%d of %d retried".formatted(answer.done(), answer.held())));
  }

  @Command(
      name = "retarget",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Makes the broker produce quarantined tasks to another of its topics.")
  int retarget(
      @Mixin Target target,
      @Mixin Selection which,
      @Option(
              names = "--to",
              paramLabel = "TOPIC",
              required = true,
              description = "The new topic, one of kafka_topics.")
          String topic)
      throws InterruptedException {
    return send(
        target,
        request(Action.RETARGET, which, topic),
        answer ->
            report(
                "%d retargeted to topic %s, %d left"
                    .formatted(answer.done(), topic, answer.left())));
  }

  @Command(
      name = "discard",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Makes the broker delete quarantined tasks: they are lost.")
  int discard(
      @Mixin Target target,
      @Mixin Selection which,
      @Option(names = "--for-good", required = true, description = "Confirms the deletion.")
          boolean confirmed)
      throws InterruptedException {
    if (!confirmed) {
      throw new ParameterException(spec.commandLine(), "nothing is discarded without --for-good");
    }
    return send(
        target,
        request(Action.DISCARD, which, ""),
        answer -> report("%d deleted, %d left".formatted(answer.done(), answer.left())));
  }

  private QuarantineRequest request(Action action, Selection which, String target) {
    if (which.ids.isEmpty() && which.topic.isEmpty() && !which.all) {
      throw new ParameterException(
          spec.commandLine(), "no tasks selected: send their ids, --topic TOPIC or --all");
    }
    return new QuarantineRequest(action, which.ids, which.topic, target, CHANGED_AT_A_TIME);
  }

  private interface Show {
    void show(QuarantineAnswer answer);
  }

  private int send(Target target, QuarantineRequest request, Show show)
      throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    Optional<Path> file = Optional.ofNullable(target.file).or(() -> main.options().config());
    Optional<BrokerConfig> config = ServeOptions.check(file, err);
    if (config.isEmpty()) {
      return 1;
    }
    QuarantineAnswer answer;
    try {
      answer = new ControlClient(Broker.controlSocket(config.get())).give(request);
    } catch (ControlException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
    show.show(answer);
    return answer.left() == 0 ? 0 : 1;
  }

  private void show(QuarantineAnswer answer) {
    PrintWriter out = spec.commandLine().getOut();
    if (!answer.tasks().isEmpty()) {
      out.println("ID\tTASK\tAPPLICATION\tKIND\tTOPIC\tBYTES\tSINCE\tPUBLISHED\tREASON");
    }
    for (QuarantineAnswer.Task task : answer.tasks()) {
      out.println(
          Stream.of(
                  task.id(),
                  task.namespace() + ":" + task.taskname(),
                  task.application(),
                  task.status().equals("Retry") ? "retry" : "dead letter",
                  task.topic() + (task.cluster().isEmpty() ? "" : "@" + task.cluster()),
                  Integer.toString(task.size()),
                  time(task.since()),
                  time(task.receivedAt()),
                  task.reason())
              .map(Table::printable)
              .collect(Collectors.joining("\t")));
    }
    out.flush();
    report(
        "%d quarantined, %d of them listed; %d more waiting for Kafka"
            .formatted(answer.held(), answer.tasks().size(), answer.forwarding()));
  }

  private static String time(long millis) {
    return Instant.ofEpochMilli(millis).truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private void report(String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("taskbroker: " + line);
    err.flush();
  }
}
