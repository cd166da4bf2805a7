package io.taskbroker.cli;

import io.taskbroker.ShadowReaders;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigException;
import io.taskbroker.deadletter.DeadLetterException;
import io.taskbroker.shadow.ShadowReader;
import io.taskbroker.shadow.ShadowReport;
import io.taskbroker.shadow.Verdict;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Shadow reading: reports what this broker would do with the records that another one consumes.
/// Exit codes: 0 if it would do what the reference does with each record, 1 if the command failed,
/// 2 for arguments that do not parse, 3 if it would do something else with some.
@Command(
    name = "shadow",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Reports what this broker would do with the records of its topics, and where the reference",
      "does something else. Reads Kafka only: joins no consumer group, commits, stores and"
          + " delivers",
      "nothing."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:both would do the same with each record",
      "1:failed",
      "2:arguments do not parse",
      "3:the brokers differ for some records"
    })
final class ShadowCommand implements Callable<Integer> {
  private static final int DIFFERENT = 3;
  private static final long INTERVAL_MILLIS = 500;

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description = "The broker's YAML file; TASKBROKER_* variables override it.")
  private @Nullable Path file;

  @Option(
      names = "--from",
      paramLabel = "POSITION",
      defaultValue = "COMMITTED",
      description =
          "Where to begin: COMMITTED (where the consumer group stands), EARLIEST or LATEST"
              + " (default: ${DEFAULT-VALUE}).")
  private ShadowReader.From from;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "0",
      description = "How long to read; 0 ends at the present end of the topics (default).")
  private double minutes;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private OutputFormat format;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    Optional<Path> given = Optional.ofNullable(file).or(() -> main.options().config());
    Optional<BrokerConfig> config = ServeOptions.check(given, err);
    if (config.isEmpty()) {
      return 1;
    }
    var report = new ShadowReport();
    try {
      List<ShadowReader> readers =
          ShadowReaders.open(
              config.get(), from, report, warning -> err.println("warning: " + warning));
      try {
        read(readers);
      } finally {
        readers.forEach(ShadowReader::close);
      }
    } catch (DeadLetterException | ConfigException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
    print(report);
    return differs(report) ? DIFFERENT : 0;
  }

  /// Reads to the end of each topic, and on until the time is over or the process is interrupted.
  private void read(List<ShadowReader> readers) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofMillis(Math.round(minutes * 60_000)).toNanos();
    var never = new CountDownLatch(1);
    do {
      long records = 0;
      for (ShadowReader reader : readers) {
        records += reader.readToEnd();
      }
      long left = end - System.nanoTime();
      if (records == 0 && left > 0) {
        never.await(
            Math.min(INTERVAL_MILLIS, TimeUnit.NANOSECONDS.toMillis(left) + 1),
            TimeUnit.MILLISECONDS);
      }
    } while (end - System.nanoTime() > 0);
  }

  private static boolean differs(ShadowReport report) {
    return report.topics().values().stream()
        .flatMap(topic -> topic.tallies().keySet().stream())
        .anyMatch(verdict -> !verdict.reference().isEmpty());
  }

  private void print(ShadowReport report) {
    PrintWriter out = spec.commandLine().getOut();
    if (format == OutputFormat.JSON) {
      out.println(json(report));
      out.flush();
      return;
    }
    var table = new Table("TOPIC", "RECORDS", "VERDICT", "FIRST");
    report
        .topics()
        .forEach((topic, counts) ->
            counts
                .tallies()
                .forEach((verdict, tally) ->
                    table.add(topic, tally.count(), verdict.label(), tally.example())));
    table.print(out);
    out.printf("%,d records read%n", report.records());
    for (Verdict verdict : Verdict.values()) {
      if (report.topics().values().stream().anyMatch(it -> it.tallies().containsKey(verdict))) {
        out.println(
            verdict.label()
                + ": this broker "
                + verdict.action()
                + (verdict.reference().isEmpty()
                    ? "; so does the reference"
                    : "; the reference " + verdict.reference()));
      }
    }
    out.flush();
  }

  private static String json(ShadowReport report) {
    ObjectNode node = new JsonMapper().createObjectNode();
    node.put("records", report.records());
    node.put("differs", differs(report));
    ObjectNode topics = node.putObject("topics");
    report
        .topics()
        .forEach((name, counts) -> {
          ObjectNode topic = topics.putObject(name);
          topic.put("at_most_once", counts.atMostOnce());
          ObjectNode verdicts = topic.putObject("verdicts");
          counts
              .tallies()
              .forEach((verdict, tally) ->
                  verdicts
                      .putObject(verdict.label())
                      .put("records", tally.count())
                      .put("first", tally.example())
                      .put("action", verdict.action())
                      .put("reference", verdict.reference()));
        });
    return node.toString();
  }
}
