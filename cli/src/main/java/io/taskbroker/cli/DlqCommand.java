package io.taskbroker.cli;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.deadletter.Cursor;
import io.taskbroker.deadletter.DeadLetter;
import io.taskbroker.deadletter.DeadLetterException;
import io.taskbroker.deadletter.DeadLetterFilter;
import io.taskbroker.deadletter.DeadLetterJson;
import io.taskbroker.deadletter.DeadLetterPage;
import io.taskbroker.deadletter.DeadLetters;
import io.taskbroker.deadletter.ErrorGroup;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Dead-letter workbench: browses a dead-letter topic, and replays or discards dead letters. Needs
/// Kafka and the broker's configuration, not a running broker.
///
/// Exit codes: 0 if all that was selected is done or was done before, 1 if the command failed, 2
/// for arguments that do not parse, 3 if some of what was selected still waits for a decision.
@Command(
    name = "dlq",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Browses dead letters, replays them to their topics, or discards them.",
      "It needs Kafka and the broker's configuration, not a running broker."
    },
    subcommands = {DlqReplayCommand.class, DlqEditCommand.class, DlqDiscardCommand.class},
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed",
      "2:arguments do not parse",
      "3:done, but some of the selected dead letters still wait for a decision"
    })
final class DlqCommand {
  /// Exit code if some of what was selected still waits for a decision.
  static final int UNFINISHED = 3;

  private static final long MAX_SCANNED = 1_000_000;

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  /// Options that locate the dead letters.
  static final class Source {
    @Option(
        names = {"-c", "--config"},
        paramLabel = "FILE",
        description = "The broker's YAML file; TASKBROKER_* variables override it.")
    private @Nullable Path file;

    @Option(
        names = "--topic",
        paramLabel = "TOPIC",
        description = "The dead-letter topic (default: kafka_deadletter_topic).")
    private String topic = "";

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        defaultValue = "table",
        description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.TABLE;

    String topic(BrokerConfig config) {
      return topic.isEmpty() ? config.kafka().deadletterTopic() : topic;
    }

    boolean isJson() {
      return format == OutputFormat.JSON;
    }
  }

  /// Options that select dead letters.
  static final class Selection {
    @Parameters(
        paramLabel = "ID",
        arity = "0..*",
        description = "Positions (partition:offset), or ids of tasks or of their first attempts.")
    private List<String> ids = List.of();

    @Option(
        names = "--since",
        paramLabel = "TIME",
        converter = TimeOption.class,
        description = "Failed at or after: 30m, 2h, 7d, or 2026-11-30T08:00:00Z.")
    private @Nullable Instant since;

    @Option(
        names = "--until",
        paramLabel = "TIME",
        converter = TimeOption.class,
        description = "Failed before.")
    private @Nullable Instant until;

    @Option(names = "--task", paramLabel = "NAME", description = "Of this task.")
    private String task = "";

    @Option(names = "--namespace", paramLabel = "NAME", description = "Of this namespace.")
    private String namespace = "";

    @Option(
        names = "--application",
        paramLabel = "NAME",
        description = "Of this application: its pool of workers.")
    private String application = "";

    @Option(
        names = "--error",
        paramLabel = "TEXT",
        description = "Whose reason contains the text, in any case.")
    private String error = "";

    @Option(
        names = "--header",
        paramLabel = "NAME=VALUE",
        description = "With this Kafka header, or header of the task.")
    private Map<String, String> headers = Map.of();

    DeadLetterFilter filter() {
      return new DeadLetterFilter(
          since == null ? 0 : since.toEpochMilli(),
          until == null ? Long.MAX_VALUE : until.toEpochMilli(),
          task,
          namespace,
          application,
          error,
          headers,
          new HashSet<>(ids));
    }

    boolean isEmpty() {
      return filter().equals(DeadLetterFilter.ALL);
    }
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Prints dead letters, oldest first in each partition.")
  int list(
      @Mixin Source source,
      @Mixin Selection selection,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "100",
              description = "Maximum number, up to 10000 (default: ${DEFAULT-VALUE}).")
          int limit,
      @Option(
              names = "--cursor",
              paramLabel = "CURSOR",
              defaultValue = "",
              description = "Where to begin: printed at the end of the page before.")
          String cursor) {
    return with(
        source,
        letters -> {
          DeadLetterPage page =
              letters.page(selection.filter(), cursor(cursor), limit, MAX_SCANNED);
          if (source.isJson()) {
            page.entries().forEach(entry -> out().println(DeadLetterJson.summary(entry)));
            out().flush();
          } else {
            table(page).print(out());
          }
          report(
              page.complete()
                  ? "%d dead letters; this is the end".formatted(page.entries().size())
                  : "%d dead letters; the next page: --cursor %s"
                      .formatted(page.entries().size(), page.next()));
          return 0;
        });
  }

  private Cursor cursor(String text) {
    try {
      return Cursor.of(text);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private static Table table(DeadLetterPage page) {
    var table = new Table("POSITION", "FAILED AT", "STATE", "TASK", "APPLICATION", "ID", "REASON");
    for (DeadLetterPage.Entry entry : page.entries()) {
      DeadLetter letter = entry.letter();
      table.add(
          letter.position(),
          time(letter.failedAt()),
          entry.resolution().map(it -> it.action().label()).orElse("open"),
          letter.task().isEmpty() ? "(no task)" : letter.namespace() + ":" + letter.taskname(),
          letter.application(),
          letter.id(),
          letter.reason());
    }
    return table;
  }

  @Command(
      name = "groups",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Groups dead letters by task and error, most frequent first.")
  int groups(@Mixin Source source, @Mixin Selection selection) {
    return with(
        source,
        letters -> {
          List<ErrorGroup> groups = letters.groups(selection.filter());
          if (source.isJson()) {
            groups.forEach(group -> out().println(DeadLetterJson.of(group)));
            out().flush();
          } else {
            var table = new Table("COUNT", "OPEN", "TASK", "FIRST", "LAST", "SAMPLE", "ERROR");
            groups.forEach(group ->
                table.add(
                    group.count(),
                    group.open(),
                    group.taskname().isEmpty()
                        ? "(no task)"
                        : group.namespace() + ":" + group.taskname(),
                    time(group.first()),
                    time(group.last()),
                    group.sample(),
                    group.error()));
            table.print(out());
          }
          return 0;
        });
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Prints one dead letter whole, with its decoded arguments, as JSON.")
  int show(
      @Mixin Source source,
      @Parameters(
              paramLabel = "ID",
              description = "Position (partition:offset), or id of the task: its last dead letter.")
          String id) {
    return with(
        source,
        letters -> {
          Optional<DeadLetterPage.Entry> found = letters.find(id);
          if (found.isEmpty()) {
            throw new CommandException("no dead letter '" + id + "' in the topic");
          }
          out().println(DeadLetterJson.whole(found.get()));
          out().flush();
          return 0;
        });
  }

  /// Work on an open topic; returns the exit code.
  private interface Work {
    int on(DeadLetters letters);
  }

  private int with(Source source, Work work) {
    return configured(
        source,
        config -> {
          try (DeadLetters letters = DeadLetters.open(config.kafka(), source.topic(config))) {
            return work.on(letters);
          }
        });
  }

  /// Work with a valid configuration; returns the exit code.
  interface Configured {
    int on(BrokerConfig config) throws InterruptedException;
  }

  int configured(Source source, Configured work) {
    Optional<Path> file = Optional.ofNullable(source.file).or(() -> main.options().config());
    Optional<BrokerConfig> config = ServeOptions.check(file, spec.commandLine().getErr());
    if (config.isEmpty()) {
      return 1;
    }
    try {
      return work.on(config.get());
    } catch (DeadLetterException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("interrupted", e);
    }
  }

  private static String time(long millis) {
    return Instant.ofEpochMilli(millis).truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }

  private void report(String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("taskbroker: " + line);
    err.flush();
  }
}
