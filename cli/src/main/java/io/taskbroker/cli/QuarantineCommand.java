package io.taskbroker.cli;

import io.taskbroker.Broker;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.control.ControlClient;
import io.taskbroker.control.ControlException;
import io.taskbroker.inflight.QuarantineAnswer;
import io.taskbroker.inflight.QuarantineRequest;
import io.taskbroker.inflight.QuarantineRequest.Action;
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

/// Retries and dead letters that a running broker cannot produce: shows them, and decides on them.
/// Exit code 0 if the broker did what it was told, else 1.
@Command(
    name = "quarantine",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Lists, releases, retargets or discards tasks that a running broker cannot produce to Kafka.",
      "Works beside the broker: on its machine, as its user, with its configuration."
    })
final class QuarantineCommand {
  private static final int CHANGED_AT_A_TIME = 1_000;

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  /// Where the broker is.
  static final class Target {
    @Option(
        names = {"-c", "--config"},
        paramLabel = "FILE",
        description = "The broker's YAML file; TASKBROKER_* variables override it.")
    private @Nullable Path file;
  }

  /// Which tasks are meant.
  static final class Selection {
    @Parameters(paramLabel = "ID", arity = "0..*", description = "Ids of tasks.")
    private List<String> ids = List.of();

    @Option(names = "--topic", paramLabel = "TOPIC", description = "All that are for this topic.")
    private String topic = "";

    @Option(names = "--all", description = "All.")
    private boolean all;
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Writes a line for each, with tabs between its columns.")
  int list(
      @Mixin Target target,
      @Option(names = "--topic", paramLabel = "TOPIC", description = "Only those for this topic.")
          @Nullable String topic,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "1000",
              description = "Lines at most, up to 10000 (default: ${DEFAULT-VALUE}).")
          int limit)
      throws InterruptedException {
    var order =
        new QuarantineRequest(Action.LIST, List.of(), topic == null ? "" : topic, "", limit);
    return give(target, order, this::show);
  }

  @Command(
      name = "release",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Has the broker try them again at once.")
  int release(@Mixin Target target, @Mixin Selection which) throws InterruptedException {
    return give(
        target,
        order(Action.RELEASE, which, ""),
        answer -> say("%d of %d are tried again".formatted(answer.done(), answer.held())));
  }

  @Command(
      name = "retarget",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description =
          "Has the broker produce them to another topic, which it must be configured with.")
  int retarget(
      @Mixin Target target,
      @Mixin Selection which,
      @Option(
              names = "--to",
              paramLabel = "TOPIC",
              required = true,
              description = "The topic, one of kafka_topics.")
          String topic)
      throws InterruptedException {
    return give(
        target,
        order(Action.RETARGET, which, topic),
        answer ->
            say("%d go to topic %s, %d are left".formatted(answer.done(), topic, answer.left())));
  }

  @Command(
      name = "discard",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Has the broker delete them: they are produced nowhere, and lost.")
  int discard(
      @Mixin Target target,
      @Mixin Selection which,
      @Option(names = "--for-good", required = true, description = "Yes, delete them.")
          boolean sure)
      throws InterruptedException {
    if (!sure) {
      throw new ParameterException(spec.commandLine(), "without --for-good nothing is discarded");
    }
    return give(
        target,
        order(Action.DISCARD, which, ""),
        answer -> say("%d are deleted, %d are left".formatted(answer.done(), answer.left())));
  }

  private QuarantineRequest order(Action action, Selection which, String target) {
    if (which.ids.isEmpty() && which.topic.isEmpty() && !which.all) {
      throw new ParameterException(
          spec.commandLine(), "which ones? Give their ids, --topic TOPIC or --all");
    }
    return new QuarantineRequest(action, which.ids, which.topic, target, CHANGED_AT_A_TIME);
  }

  private interface Show {
    void show(QuarantineAnswer answer);
  }

  private int give(Target target, QuarantineRequest order, Show show) throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    Optional<Path> file = Optional.ofNullable(target.file).or(() -> main.options().config());
    Optional<BrokerConfig> config = ServeOptions.check(file, err);
    if (config.isEmpty()) {
      return 1;
    }
    QuarantineAnswer answer;
    try {
      answer = new ControlClient(Broker.controlSocket(config.get())).give(order);
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
              .map(QuarantineCommand::printable)
              .collect(Collectors.joining("\t")));
    }
    out.flush();
    say(
        "%d quarantined, %d of them listed; %d more wait for Kafka"
            .formatted(answer.held(), answer.tasks().size(), answer.leaving()));
  }

  private static String time(long millis) {
    return Instant.ofEpochMilli(millis).truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /// What a task is called comes from outside: a terminal gets no control characters of it.
  private static String printable(String text) {
    return text.replaceAll("\\p{Cntrl}", "?");
  }

  private void say(String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("taskbroker: " + line);
    err.flush();
  }
}
