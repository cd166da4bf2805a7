package io.taskbroker.benchmarks;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.store.sqlite.SqliteOptions;
import io.taskbroker.store.sqlite.SqliteStore;
import io.taskbroker.testkit.ExecutionLog;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `restart`: time until a broker with many stored rows delivers again.
@Command(
    name = "restart",
    mixinStandardHelpOptions = true,
    description = "Measures the time from a start with many rows to the first delivery.")
final class RestartCommand implements Callable<Integer> {
  private static final int PAGE = 10_000;
  private static final long DAY = 86_400_000;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long LOOK_MILLIS = 5;

  @Mixin private OutputOptions output;
  @Mixin private LaunchOptions launch;
  @Spec private CommandSpec spec;

  @Option(names = "--name", defaultValue = "restart", description = "Name of the result.")
  private String name;

  @Option(names = "--rows", defaultValue = "1000000", description = "Rows in the store.")
  private int rows;

  @Option(
      names = "--resident",
      description = "Keep the rows in memory: their delay is below the parking horizon.")
  private boolean resident;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    Path dir = Files.createTempDirectory("taskbroker-bench");
    try {
      Map<String, Object> figures = measure(dir);
      new Results(output.results).write(name, Map.of("rows", rows, "resident", resident), figures);
      out.println(name + " " + figures);
      return 0;
    } finally {
      if (!output.keep) {
        OutputOptions.delete(dir);
      }
    }
  }

  private Map<String, Object> measure(Path dir) throws IOException, InterruptedException {
    fill(dir.resolve(BenchmarkEnvironment.TOPIC + ".sqlite"));
    var log = new ExecutionLog(1);
    var offer = new Scenario.Offer(Duration.ZERO, 0, 0, 1, 400, 0);
    var scenario =
        new Scenario(
            name,
            Scenario.Mode.PUSH,
            1,
            1,
            8_192,
            Scenario.Store.SQLITE,
            offer,
            Scenario.Neighbours.NONE,
            launch.launch());
    try (BenchmarkEnvironment world = BenchmarkEnvironment.open(scenario, dir);
        var publisher =
            new LoadPublisher(
                world.bootstrap(),
                BenchmarkEnvironment.TOPIC,
                BenchmarkEnvironment.APPLICATION,
                offer,
                log)) {
      publisher.publish(1, Duration.ZERO);
      long startedAt = System.nanoTime();
      ChildProcess broker = world.startBroker(BenchmarkEnvironment.TOPIC, log);
      long serving = System.nanoTime() - startedAt;
      while (log.starts() == 0) {
        if (System.nanoTime() - startedAt > PATIENCE.toNanos()) {
          throw new IllegalStateException("Nothing was delivered:\n" + broker.logEnd());
        }
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      }
      long delivered = System.nanoTime() - startedAt;
      var usage = new ProcessUsage(broker.pid()).look();
      var figures = new LinkedHashMap<String, Object>();
      figures.put("seconds_to_serve", Summary.round(serving / 1e9));
      figures.put("seconds_to_first_delivery", Summary.round(delivered / 1e9));
      figures.put("cpu_seconds", Summary.round(usage.cpuNanos() / 1e9));
      figures.put("resident_mb", usage.residentBytes() / 1_000_000);
      figures.put("exit_code", world.stop(broker));
      return figures;
    }
  }

  private void fill(Path file) {
    var tasks = new EngineWorkload();
    long now = System.currentTimeMillis();
    long due = now + (resident ? DAY / 48 : DAY);
    try (var store = SqliteStore.open(new SqliteOptions(file, 0))) {
      long key = 0;
      for (long batch = 0; key < rows; batch++) {
        List<Change> changes = new ArrayList<>(PAGE);
        int count = (int) Math.min(PAGE, rows - key);
        for (IngestedRecord arrival : tasks.records(count, due - EngineWorkload.WALL).arrivals()) {
          Row row = Row.arriving(++key, arrival.activation(), Status.DELAY, now);
          changes.add(new Change.Insert(resident ? row : row.parkedUntil(due), null));
        }
        var _ = store.commit(new WriteBatch(batch, changes));
      }
    }
  }
}
