package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `direct`: tasks that are enqueued directly and run over worker streams, on SQLite, without
/// Kafka.
@Command(
    name = "direct",
    mixinStandardHelpOptions = true,
    description = {
      "Measures taskbroker.v1 on SQLite, without Kafka:",
      "RUN      enqueue in batches, run for 100 ms, durable results",
      "BATCHES  enqueue alone, in batches",
      "SINGLES  enqueue alone, one task a call, from concurrent callers",
      "LATENCY  from enqueue to start, at a rate",
      "IDLE     memory and CPU of idle worker streams"
    })
final class DirectCommand implements Callable<Integer> {
  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration STOP = Duration.ofSeconds(30);

  /// Measurement.
  enum Case {
    RUN,
    BATCHES,
    SINGLES,
    LATENCY,
    IDLE
  }

  @Mixin private OutputOptions output;
  @Mixin private LaunchOptions launch;
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "CASE", description = "RUN, BATCHES, SINGLES, LATENCY or IDLE.")
  private Case measured;

  @Option(names = "--name", defaultValue = "direct", description = "Name of the result.")
  private String name;

  @Option(names = "--seconds", defaultValue = "30", description = "How long to measure.")
  private int seconds;

  @Option(names = "--batch", defaultValue = "1000", description = "Tasks in a request.")
  private int batch;

  @Option(names = "--callers", defaultValue = "64", description = "Concurrent callers of SINGLES.")
  private int callers;

  @Option(names = "--rate", defaultValue = "500", description = "Tasks per second of LATENCY.")
  private int rate;

  @Option(names = "--duration-ms", defaultValue = "100", description = "Duration of a task.")
  private int millis;

  @Option(names = "--argument-bytes", defaultValue = "100", description = "Size of the arguments.")
  private int argumentBytes;

  @Option(names = "--window", defaultValue = "16000", description = "Tasks of RUN at a time.")
  private int window;

  @Option(names = "--streams", defaultValue = "10000", description = "Worker streams of IDLE.")
  private int streams;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    Path dir = Files.createTempDirectory("taskbroker-bench");
    int port = Ports.free();
    try (ChildProcess broker = start(dir, port)) {
      var figures = new LinkedHashMap<String, Object>();
      try (DirectLoad load = load(port)) {
        measure(broker, load, figures);
      }
      figures.put("exit_code", broker.stop(STOP));
      Path file = new Results(output.results).write(name, options(), figures);
      out.println(name + " -> " + file);
      figures.forEach((key, value) -> out.printf("  %-40s %s%n", key, value));
      return 0;
    } finally {
      if (!output.keep) {
        OutputOptions.delete(dir);
      }
    }
  }

  private DirectLoad load(int port) {
    return switch (measured) {
      case RUN -> DirectTasks.running(port, window, batch, argumentBytes, millis);
      case BATCHES -> DirectTasks.enqueuing(port, batch, argumentBytes);
      case SINGLES -> new DirectCallers(port, callers, argumentBytes);
      case LATENCY -> DirectTasks.atARate(port, rate, argumentBytes, millis);
      case IDLE -> new DirectStreams(port, streams);
    };
  }

  /// Measures between two looks at the broker, after a time in which it warms up.
  private void measure(ChildProcess broker, DirectLoad load, Map<String, Object> figures)
      throws InterruptedException {
    load.start();
    TimeUnit.MILLISECONDS.sleep(launch.launch().rehearsal().toMillis());
    var usage = new ProcessUsage(broker.pid());
    var own = new ProcessUsage(ProcessHandle.current().pid());
    load.forget();
    ProcessUsage.Usage before = usage.look();
    ProcessUsage.Usage ownBefore = own.look();
    long from = System.nanoTime();
    for (int second = 0; second < seconds; second++) {
      TimeUnit.SECONDS.sleep(1);
      usage.look();
    }
    long tasks = load.done();
    ProcessUsage.Usage used = usage.look().since(before);
    double duration = (System.nanoTime() - from) / 1e9;
    figures.put("tasks", tasks);
    figures.put("tasks_per_second", Summary.round(tasks / duration));
    if (tasks > 0) {
      figures.put("broker_cpu_us_per_task", micros(used.cpuNanos(), tasks));
      figures.put(
          "broker_cpu_us_per_task_without_jit", micros(used.cpuNanos() - used.jitNanos(), tasks));
      figures.put("load_cpu_us_per_task", micros(own.look().since(ownBefore).cpuNanos(), tasks));
      figures.put("written_bytes_per_task", Summary.round((double) used.writtenBytes() / tasks));
      used.threads()
          .forEach((thread, nanos) ->
              figures.put("broker_cpu_us_per_task " + thread, micros(nanos, tasks)));
    }
    figures.put("broker_cpu_cores", Summary.round(used.cpuNanos() / 1e9 / duration));
    figures.put("resident_mb", used.residentBytes() / 1_000_000);
    figures.put("peak_resident_mb", usage.peakResident() / 1_000_000);
    load.figures(figures);
  }

  private static double micros(long nanos, long tasks) {
    return Summary.round(nanos / 1e3 / tasks);
  }

  private ChildProcess start(Path dir, int port) throws IOException, InterruptedException {
    Path config = dir.resolve("config.yaml");
    Files.writeString(
        config,
        """
        kafka_enabled: false
        grpc_addr: 127.0.0.1
        grpc_port: %d
        metrics_addr: 127.0.0.1:%d
        store: {sqlite: {path: '%s'}}
        """
            .formatted(port, Ports.free(), dir.resolve("direct.sqlite")),
        UTF_8);
    List<String> command =
        launch.launch().command().stream()
            .map(part -> part.replace("{config}", config.toString()))
            .toList();
    ChildProcess broker =
        ChildProcess.start("broker", command, launch.environment, dir.resolve("broker.log"));
    return broker.awaitPort(port, START);
  }

  private Map<String, Object> options() {
    var options = new LinkedHashMap<String, Object>();
    options.put("case", measured.name());
    options.put("seconds", seconds);
    options.put("batch", batch);
    options.put("callers", callers);
    options.put("rate", rate);
    options.put("duration_ms", millis);
    options.put("argument_bytes", argumentBytes);
    options.put("window", window);
    options.put("streams", streams);
    options.put("environment", launch.environment);
    return options;
  }
}
