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

/// One soak: Kafka and workers in this process, the broker in another. Ends by itself, within a
/// bounded time after the load; removes nothing. An interrupt of the process stops everything in
/// order.
final class Soak {
  private final SoakSetting setting;
  private final SoakOptions options;
  private final UnaryOperator<BrokerLaunch> adjustment;
  private final PrintWriter out;
  private final FaultPlan plan;
  private final Workload workload;

  /// @param plan which faults happen; for a load of this length
  /// @param adjustment changes how the broker is started
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

  /// Runs the soak; returns 0 if all is as it should be.
  int run() throws InterruptedException {
    sayPlan();
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

  /// All of the heap is there from the beginning, so that a process grows only if something else
  /// does.
  private BrokerLaunch launch() {
    return BrokerLaunch.ofThisClassPath(setting.config(), setting.brokerPort(), setting.brokerLog())
        .withJvmOptions("-Xms256m", "-XX:+AlwaysPreTouch");
  }

  private int load(StopHook hook, RestartableKafka kafka, RestartableBroker broker)
      throws InterruptedException, IOException {
    var log = new ExecutionLog(workload.tasks());
    var runs = new Runs(workload, log);
    try (var pools = new Pools(setting, runs, log);
        var letters = TaskReader.of(kafka.bootstrap(), SoakSetting.DEAD_LETTERS, workload.tasks());
        var demoted = TaskReader.of(kafka.bootstrap(), SoakSetting.LONG, workload.tasks());
        var publisher = new SoakPublisher(kafka.bootstrap(), workload, runs, log)) {
      var victims = new Faults.Victims(setting, broker, kafka, pools, publisher);
      var scene = new SoakEnvironment(victims, workload, log, runs, letters, demoted);
      var faults = new Faults(victims, runs, hook.asked(), options.seed());
      var course = new SoakRun(options, plan, scene, faults, hook);
      var watch = new ProcessMonitor(broker, runs, setting, () -> progress(scene, faults), out);
      try (watch) {
        pools.start();
        publisher.start();
        watch.start();
        course.run();
      }
      course.leftOut().forEach(fault -> say("left out, the machine is too slow: " + fault));
      Report report = new Findings(scene, faults, course, hook).report(options, watch.samples());
      return tell(report, watch.samples());
    }
  }

  private static String progress(SoakEnvironment scene, Faults faults) {
    return "%,d published, %,d ended, %,d runs repeated%s"
        .formatted(
            scene.victims().publisher().published(),
            scene.ended(),
            scene.runs().repeated(),
            faults.current().isEmpty() ? "" : ", " + faults.current());
  }

  private int tell(Report report, List<Sample> samples) throws IOException {
    say("");
    say(report.text());
    if (options.json().isPresent()) {
      Path file = options.json().get();
      Files.writeString(file, report.json(samples), UTF_8);
      say("report     " + file);
    }
    say("logs       %s, %s".formatted(setting.brokerLog(), setting.soakLog()));
    return report.isGood() ? 0 : 1;
  }

  private void sayPlan() {
    say(
        "%,d tasks in %,d s, mode %s, seed %d"
            .formatted(
                workload.tasks(), options.load().toSeconds(), setting.mode(), options.seed()));
    say("directory  %s".formatted(setting.dir()));
    say("faults");
    plan.faults().forEach(fault -> say("  " + fault));
  }

  private void say(String line) {
    out.println(line);
    out.flush();
  }
}
