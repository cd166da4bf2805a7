package io.taskbroker.lab.smoke;

import io.taskbroker.lab.rig.LibraryLog;
import io.taskbroker.lab.rig.RunFolders;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.PostgresServer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Starts a broker by a given command, lets it run one task, and stops it by SIGTERM.
@Command(
    name = "smoke",
    mixinStandardHelpOptions = true,
    description = {
      "Starts a broker by the given command, checks that it becomes healthy, runs its tasks and",
      "exits with 0 on SIGTERM, and prints how long that took.",
      "The command gets its configuration from the environment: TASKBROKER_*. Its files are in",
      "DIR/state, which anyone may write to."
    })
public final class SmokeCommand implements Callable<Integer> {
  private static final int MAX_RUNS = 1_000;
  private static final int MAX_TASKS = 1_000_000;

  @Spec private CommandSpec spec;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Empty folder for Kafka, state and log (default: a temporary one).")
  private @Nullable Path dir;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "1",
      description = "Number of starts; prints the median of several (default: ${DEFAULT-VALUE}).")
  private int runs;

  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "1",
      description = "Number of tasks that are in Kafka at the start (default: ${DEFAULT-VALUE}).")
  private int tasks;

  @Option(
      names = "--chain",
      description = {
        "All starts share topic and store, and each must also run what the one before stored.",
        "The variable SMOKE_RUN is the number of the start, from 1."
      })
  private boolean chain;

  @Option(
      names = "--postgres",
      description = "The store is a Postgres that is started for it (default: a SQLite file).")
  private boolean postgres;

  @Option(
      names = "--rolling",
      description = {
        "Like --chain on --postgres; each broker starts while the one before runs, which is"
            + " stopped",
        "when this one is ready."
      })
  private boolean rolling;

  @Parameters(
      paramLabel = "COMMAND",
      arity = "1..*",
      description = "Command line of the broker, after --.")
  private List<String> command = List.of();

  @Override
  public Integer call() throws InterruptedException {
    if (runs < 1 || runs > MAX_RUNS) {
      throw new ParameterException(spec.commandLine(), "--runs must be 1 to " + MAX_RUNS);
    }
    if (tasks < 1 || tasks > MAX_TASKS) {
      throw new ParameterException(spec.commandLine(), "--tasks must be 1 to " + MAX_TASKS);
    }
    PrintWriter out = spec.commandLine().getOut();
    Path folder = RunFolders.empty(Optional.ofNullable(dir), "smoke");
    LibraryLog.to(folder.resolve("smoke.log"));
    var results = new ArrayList<SmokeResult>();
    Map<String, String> store = postgres || rolling ? postgres() : Map.of();
    SmokedBroker former = null;
    try (var kafka = EmbeddedKafka.start(folder.resolve("kafka"))) {
      for (int run = 1; run <= runs; run++) {
        SmokeRun.Served served =
            new SmokeRun(folder, kafka, store, run, tasks, chain || rolling)
                .perform(command, former);
        boolean staysUp = rolling && run < runs;
        former = staysUp ? served.broker() : null;
        SmokeResult result =
            staysUp ? served.result() : served.result().stoppedIn(served.broker().stop());
        results.add(result);
        out.println(result);
        out.flush();
      }
    } catch (IllegalStateException e) {
      // More than one line: the end of the broker's log.
      spec.commandLine().getErr().println("taskbroker: " + e.getMessage());
      return 1;
    } finally {
      if (former != null) {
        former.close();
      }
    }
    if (runs > 1) {
      out.println("median: " + median(results));
      out.flush();
    }
    return 0;
  }

  private static Map<String, String> postgres() {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    return Map.of(
        "TASKBROKER_STORE__ADAPTER", "postgres",
        "TASKBROKER_STORE__PG__HOST", database.host(),
        "TASKBROKER_STORE__PG__PORT", Integer.toString(database.port()),
        "TASKBROKER_STORE__PG__DATABASE_NAME", database.name(),
        "TASKBROKER_STORE__PG__USERNAME", database.username(),
        "TASKBROKER_STORE__PG__PASSWORD", database.password(),
        "TASKBROKER_STORE__PG__DDL_USERNAME", database.username(),
        "TASKBROKER_STORE__PG__DDL_PASSWORD", database.password(),
        "TASKBROKER_STORE__PG__RUN_MIGRATIONS", "true");
  }

  private static SmokeResult median(List<SmokeResult> results) {
    return new SmokeResult(
        median(results, SmokeResult::ready),
        median(results, SmokeResult::firstDelivery),
        median(results, SmokeResult::cpu),
        median(results, SmokeResult::stop),
        median(results, SmokeResult::residentKilobytes));
  }

  private static long median(List<SmokeResult> results, ToLongFunction<SmokeResult> value) {
    var sorted = results.stream().sorted(Comparator.comparingLong(value)).toList();
    return value.applyAsLong(sorted.get(sorted.size() / 2));
  }
}
