package io.taskbroker.lab.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.lab.rig.StopHook;
import io.taskbroker.lab.rig.TaskReader;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.ExecutionLog;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

/// One soak: Kafka and workers in this process, the broker in another. Ends within a bounded time
/// after the load; deletes nothing. An interrupt stops everything in order.
final class Soak {
  private final SoakSetting setting;
  private final SoakOptions options;
  private final UnaryOperator<BrokerLaunch> adjustment;
  private final PrintWriter out;
  private final FaultPlan plan;
  private final Workload workload;

  /// @param plan faults, for a load of this length
  /// @param adjustment changes the launch of the broker
  Soak(
      SoakSetting setting,
      SoakOptions options,
      FaultPlan plan,
      UnaryOperator<BrokerLaunch> adjustment,
      PrintWriter out) {
    this.setting = setting;
    this.options = options;
    this.adjustment = adjustment;
    this.out = out;
    this.plan = plan;
    workload = new Workload(options);
  }

  /// Runs the soak; returns 0 if there are no problems.
  int run() throws InterruptedException {
    printPlan();
    try (var hook = StopHook.install(out);
        var kafka = new RestartableKafka(setting.kafka())) {
      kafka.createTopics();
      setting.writeConfig(kafka.bootstrap());
      try (var broker = new RestartableBroker(adjustment.apply(launch()))) {
        broker.awaitServing();
        return load(hook, kafka, broker);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not write to " + setting.dir(), e);
    }
  }

  /// The heap is committed from the start, so that the process grows only if something else does.
  private BrokerLaunch launch() {
    return BrokerLaunch.ofThisClassPath(setting.config(), setting.brokerPort(), setting.brokerLog())
        .withJvmOptions("-Xms256m", "-XX:+AlwaysPreTouch");
  }

  private int load(StopHook hook, RestartableKafka kafka, RestartableBroker broker)
      throws InterruptedException, IOException {
    var log = new ExecutionLog(workload.tasks());
    var runs = new Runs(workload, log);
    try (var pools = new WorkerPools(setting, runs, log);
        var letters = TaskReader.of(kafka.bootstrap(), SoakSetting.DEAD_LETTERS, workload.tasks());
        var demoted = TaskReader.of(kafka.bootstrap(), SoakSetting.LONG, workload.tasks());
        var publisher = new SoakPublisher(kafka.bootstrap(), workload, runs, log)) {
      var victims = new FaultInjector.Victims(setting, broker, kafka, pools, publisher);
      var environment = new SoakEnvironment(victims, workload, log, runs, letters, demoted);
      var faults = new FaultInjector(victims, runs, hook.asked(), options.seed());
      var soakRun = new SoakRun(options, plan, environment, faults, hook);
      var watch =
          new ProcessMonitor(broker, runs, setting, () -> progress(environment, faults), out);
      try (watch) {
        pools.start();
        publisher.start();
        watch.start();
        soakRun.run();
      }
      soakRun.leftOut().forEach(fault -> print("skipped, the machine is too slow: " + fault));
      Report report =
          new FinalChecks(environment, faults, soakRun, hook).report(options, watch.samples());
      return printReport(report, watch.samples());
    }
  }

  private static String progress(SoakEnvironment environment, FaultInjector faults) {
    return "%,d published, %,d ended, %,d runs repeated%s"
        .formatted(
            environment.victims().publisher().published(),
            environment.ended(),
            environment.runs().repeated(),
            faults.current().isEmpty() ? "" : ", " + faults.current());
  }

  private int printReport(Report report, List<Sample> samples) throws IOException {
    print("");
    print(report.text());
    if (options.json().isPresent()) {
      Path file = options.json().get();
      Files.writeString(file, report.json(samples), UTF_8);
      print("report     " + file);
    }
    print("logs       %s, %s".formatted(setting.brokerLog(), setting.soakLog()));
    return report.isGood() ? 0 : 1;
  }

  private void printPlan() {
    print(
        "%,d tasks in %,d s, mode %s, seed %d"
            .formatted(
                workload.tasks(), options.load().toSeconds(), setting.mode(), options.seed()));
    print("directory  %s".formatted(setting.dir()));
    print("faults");
    plan.faults().forEach(fault -> print("  " + fault));
  }

  private void print(String line) {
    out.println(line);
    out.flush();
  }
}
