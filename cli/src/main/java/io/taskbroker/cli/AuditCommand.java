package io.taskbroker.cli;

import io.taskbroker.StoreReaders;
import io.taskbroker.audit.Audit;
import io.taskbroker.audit.AuditEntry;
import io.taskbroker.audit.AuditJson;
import io.taskbroker.audit.AuditReport;
import io.taskbroker.audit.Outcome;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.deadletter.DeadLetterException;
import io.taskbroker.store.OffsetLookup;
import io.taskbroker.store.StoreException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Conservation audit. Exit codes: 0 if every record is accounted for, 1 if the command failed, 2
/// for arguments that do not parse, 3 if a record was lost.
@Command(
    name = "audit",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Proves for each record of a topic what became of it, from Kafka and the store.",
      "It reads only, beside a running broker or without one."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every record is accounted for",
      "1:failed",
      "2:arguments do not parse",
      "3:a record was lost"
    })
final class AuditCommand implements Callable<Integer> {
  private static final int LOSS = 3;

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description = "The broker's YAML file; TASKBROKER_* variables override it.")
  private @Nullable Path file;

  @Option(
      names = "--topic",
      paramLabel = "TOPIC",
      required = true,
      description = "A topic that the broker consumes.")
  private String topic;

  @Option(
      names = "--partition",
      paramLabel = "N",
      defaultValue = "-1",
      description = "Only this partition (default: all).")
  private int partition;

  @Option(
      names = "--from",
      paramLabel = "OFFSET",
      defaultValue = "0",
      description = "First offset (default: ${DEFAULT-VALUE}).")
  private long from;

  @Option(
      names = "--to",
      paramLabel = "OFFSET",
      defaultValue = "" + Long.MAX_VALUE,
      description = "Offset behind the last one (default: the end).")
  private long to;

  @Option(names = "--list", description = "Prints each record, not only the counts.")
  private boolean list;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private OutputFormat format;

  @Override
  public Integer call() {
    Optional<Path> given = Optional.ofNullable(file).or(() -> main.options().config());
    Optional<BrokerConfig> config = ServeOptions.check(given, spec.commandLine().getErr());
    if (config.isEmpty()) {
      return 1;
    }
    try (OffsetLookup store = StoreReaders.offsets(config.get())) {
      OptionalInt only = partition < 0 ? OptionalInt.empty() : OptionalInt.of(partition);
      AuditReport report = Audit.run(config.get().kafka(), topic, only, from, to, true, store);
      print(report);
      return report.hasLoss() ? LOSS : 0;
    } catch (DeadLetterException | StoreException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
  }

  private void print(AuditReport report) {
    PrintWriter out = spec.commandLine().getOut();
    if (format == OutputFormat.JSON) {
      if (list) {
        report.entries().forEach(entry -> out.println(AuditJson.of(entry)));
      }
      out.println(AuditJson.summary(report));
      out.flush();
      return;
    }
    if (list) {
      var records = new Table("PARTITION", "OFFSET", "ID", "OUTCOME", "PROOF");
      for (AuditEntry entry : report.entries()) {
        records.add(
            entry.partition(), entry.offset(), entry.id(), entry.outcome().label(), entry.detail());
      }
      records.print(out);
      out.println();
    }
    var counts = new Table("RECORDS", "OUTCOME", "MEANING");
    for (var each : report.counts().entrySet()) {
      Outcome outcome = each.getKey();
      counts.add(each.getValue(), outcome.label(), outcome.text());
    }
    counts.print(out);
    report.notes().forEach(note -> out.println("note: " + note));
    out.flush();
  }
}
