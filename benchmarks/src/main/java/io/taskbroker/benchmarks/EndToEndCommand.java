package io.taskbroker.benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `e2e`: one end-to-end run.
@Command(
    name = "e2e",
    mixinStandardHelpOptions = true,
    description = "Measures a broker between a real Kafka and real workers.")
final class EndToEndCommand implements Callable<Integer> {
  @Mixin private OutputOptions output;
  @Mixin private LaunchOptions launch;
  @Spec private CommandSpec spec;

  @Option(names = "--name", defaultValue = "e2e", description = "Name of the result.")
  private String name;

  @Option(names = "--mode", defaultValue = "PUSH", description = "PUSH or PULL.")
  private Scenario.Mode mode;

  @Option(names = "--store", defaultValue = "SQLITE", description = "SQLITE or POSTGRES.")
  private Scenario.Store store;

  @Option(names = "--duration-ms", defaultValue = "100", description = "Duration of a task.")
  private int millis;

  @Option(names = "--report-batch", defaultValue = "1", description = "Results per report.")
  private int reportBatch;

  @Option(names = "--concurrency", defaultValue = "8192", description = "Concurrent tasks.")
  private int concurrency;

  @Option(names = "--seconds", defaultValue = "30", description = "How long to publish.")
  private int seconds;

  @Option(
      names = "--rate",
      defaultValue = "0",
      description = "Tasks per second, due at fixed times; 0 for as many as are completed.")
  private int rate;

  @Option(
      names = "--warm-rate",
      description =
          "Tasks per second in the first half, with --rate in the second; default: the same.")
  private @Nullable Integer warmRate;

  @Option(
      names = "--window",
      defaultValue = "20000",
      description = "Without a rate: maximum number of published, uncompleted tasks.")
  private int window;

  @Option(
      names = "--backlog",
      defaultValue = "0",
      description = "Tasks published before the broker starts; none afterwards.")
  private int backlog;

  @Option(
      names = "--parameter-bytes",
      defaultValue = "400",
      description = "Size of a task's parameters.")
  private int parameterBytes;

  @Option(names = "--linger-ms", defaultValue = "5", description = "linger.ms of the producer.")
  private int lingerMillis;

  @Option(
      names = "--dead-rate",
      defaultValue = "0",
      description = "Tasks per second for an application without workers.")
  private int deadRate;

  @Option(
      names = "--slow-rate",
      defaultValue = "0",
      description = "Tasks per second for an application with one slow worker.")
  private int slowRate;

  @Option(
      names = "--held-snapshot",
      description = "With Postgres: a session holds a snapshot from the first task on.")
  private boolean snapshot;

  @Option(
      names = "--delayed",
      defaultValue = "0",
      description = "Tasks stored before the run that run after its end.")
  private int delayed;

  @Option(
      names = "--search",
      paramLabel = "SECONDS",
      description = {
        "An operator searches all tasks once a second, in every second period of this length",
        "of the steady state."
      })
  private int searches;

  @Option(
      names = "--page",
      paramLabel = "SECONDS",
      description = {
        "An operator has the web page open, and loads it anew every five seconds, in every",
        "second period of this length of the steady state."
      })
  private int pageLoads;

  @Option(
      names = "--waiting",
      defaultValue = "0",
      description = "Tasks stored before the run, of an application without workers.")
  private int waiting;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    if (store == Scenario.Store.POSTGRES && BenchmarkPostgres.programs().isEmpty()) {
      out.println("skipped " + name + ": Postgres is not installed");
      return 0;
    }
    Path dir = Files.createTempDirectory("taskbroker-bench");
    try {
      var outcome = new EndToEnd(scenario(), dir).run();
      Map<String, Object> figures = Summary.of(outcome);
      Path file = new Results(output.results).write(name, options(), figures);
      out.println(name + " -> " + file);
      figures.forEach((key, value) -> {
        if (!(value instanceof List)) {
          out.printf("  %-40s %s%n", key, value);
        }
      });
      boolean sound =
          Integer.valueOf(0).equals(figures.get("lost"))
              && Long.valueOf(0).equals(figures.get("duplicates"));
      out.println(sound ? "  every task ran once" : "  PROBLEM: tasks lost, or run twice");
      return sound ? 0 : 1;
    } finally {
      if (!output.keep) {
        OutputOptions.delete(dir);
      }
    }
  }

  private Scenario scenario() {
    return new Scenario(
        name,
        mode,
        millis,
        reportBatch,
        concurrency,
        store,
        new Scenario.Offer(
            Duration.ofSeconds(seconds),
            rate,
            window,
            backlog,
            parameterBytes,
            lingerMillis,
            warmRate == null ? rate : warmRate),
        new Scenario.Neighbours(
            deadRate,
            slowRate,
            snapshot,
            delayed,
            waiting,
            Duration.ofSeconds(searches),
            Duration.ofSeconds(pageLoads)),
        launch.launch());
  }

  private Map<String, Object> options() {
    var options = new LinkedHashMap<String, Object>();
    options.put("mode", mode.name());
    options.put("store", store.name());
    options.put("duration_ms", millis);
    options.put("report_batch", reportBatch);
    options.put("concurrency", concurrency);
    options.put("seconds", seconds);
    options.put("rate", rate);
    if (warmRate != null) {
      options.put("warm_rate", warmRate);
    }
    options.put("window", window);
    options.put("backlog", backlog);
    options.put("parameter_bytes", parameterBytes);
    options.put("linger_ms", lingerMillis);
    options.put("dead_rate", deadRate);
    options.put("slow_rate", slowRate);
    options.put("held_snapshot", snapshot);
    options.put("delayed", delayed);
    options.put("waiting", waiting);
    options.put("search", searches);
    options.put("page", pageLoads);
    options.put("environment", launch.environment);
    return options;
  }
}
