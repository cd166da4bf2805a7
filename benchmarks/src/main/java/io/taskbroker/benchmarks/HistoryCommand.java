package io.taskbroker.benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `history`: what records of finished tasks cost: brokers without and with them in turns, on one
/// machine with one load program, so that neither its warmth nor the hour favours one of them.
@Command(
    name = "history",
    mixinStandardHelpOptions = true,
    description = "Measures brokers without and with records of finished tasks, in turns.")
final class HistoryCommand implements Callable<Integer> {
  private static final String RETENTION = "TASKBROKER_STORE__FINISHED__RETENTION_SEC";
  private static final List<String> FIGURES =
      List.of(
          "steady_tasks_per_second",
          "broker_cpu_us_per_task_without_jit",
          "allocated_bytes_per_task",
          "written_bytes_per_task",
          "transactions_per_second");

  @Mixin private OutputOptions output;
  @Mixin private LaunchOptions launch;
  @Spec private CommandSpec spec;

  @Option(names = "--name", defaultValue = "history", description = "Name of the result.")
  private String name;

  @Option(names = "--store", defaultValue = "SQLITE", description = "SQLITE or POSTGRES.")
  private Scenario.Store store;

  @Option(names = "--seconds", defaultValue = "30", description = "Length of each run.")
  private int seconds;

  @Option(names = "--rounds", defaultValue = "4", description = "Runs of each kind.")
  private int rounds;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    if (store == Scenario.Store.POSTGRES && BenchmarkPostgres.programs().isEmpty()) {
      out.println("skipped " + name + ": Postgres is not installed");
      return 0;
    }
    var off = new ArrayList<Map<String, Object>>();
    var on = new ArrayList<Map<String, Object>>();
    for (int round = 0; round < rounds; round++) {
      boolean onFirst = round % 2 == 1; // off, on, on, off, …: a drift hits both alike
      for (boolean recording : new boolean[] {onFirst, !onFirst}) {
        Map<String, Object> figures = measure(recording);
        (recording ? on : off).add(figures);
        out.printf("  %-3s %s%n", recording ? "on" : "off", figures.get("steady_tasks_per_second"));
        out.flush();
        if (!Integer.valueOf(0).equals(figures.get("lost"))) {
          out.println("  PROBLEM: tasks lost");
          return 1;
        }
      }
    }
    Map<String, Object> figures = figures(off, on);
    Path file = new Results(output.results).write(name, options(), figures);
    out.println(name + " -> " + file);
    figures.forEach((key, value) -> out.printf("  %-40s %s%n", key, value));
    return 0;
  }

  private Map<String, Object> measure(boolean recording) throws IOException, InterruptedException {
    Path dir = Files.createTempDirectory("taskbroker-bench");
    try {
      return Summary.of(new EndToEnd(scenario(recording), dir).run());
    } finally {
      if (!output.keep) {
        OutputOptions.delete(dir);
      }
    }
  }

  private Scenario scenario(boolean recording) {
    Scenario.Launch given = launch.launch();
    var environment = new HashMap<String, String>(given.environment());
    environment.put(RETENTION, recording ? "3600" : "0");
    return new Scenario(
        name,
        Scenario.Mode.PUSH,
        100,
        1,
        8_192,
        store,
        new Scenario.Offer(Duration.ofSeconds(seconds), 0, 20_000, 0, 400, 5),
        Scenario.Neighbours.NONE,
        new Scenario.Launch(given.command(), environment, given.probed(), given.rehearsal()));
  }

  /// Medians of both kinds, and how much less is done with records, in percent.
  static Map<String, Object> figures(List<Map<String, Object>> off, List<Map<String, Object>> on) {
    var figures = new LinkedHashMap<String, Object>();
    String rate = FIGURES.getFirst();
    figures.put("drop_percent", Summary.round(100 * (1 - median(on, rate) / median(off, rate))));
    for (String figure : FIGURES) {
      figures.put("off_" + figure, median(off, figure));
      figures.put("on_" + figure, median(on, figure));
    }
    figures.put("off_runs", off.stream().map(run -> run.get(rate)).toList());
    figures.put("on_runs", on.stream().map(run -> run.get(rate)).toList());
    return figures;
  }

  private static double median(List<Map<String, Object>> runs, String figure) {
    double[] sorted =
        runs.stream()
            .mapToDouble(run -> run.get(figure) instanceof Number number ? number.doubleValue() : 0)
            .sorted()
            .toArray();
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  private Map<String, Object> options() {
    var options = new LinkedHashMap<String, Object>();
    options.put("store", store.name());
    options.put("seconds", seconds);
    options.put("rounds", rounds);
    options.put("environment", launch.environment);
    return options;
  }
}
