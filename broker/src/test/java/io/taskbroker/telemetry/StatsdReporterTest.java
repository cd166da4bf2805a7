package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.taskbroker.LogCapture;
import io.taskbroker.testkit.StatsdReceiver;
import io.taskbroker.testkit.StatsdReceiver.Line;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Datagrams that statsd receives.
@Timeout(240)
final class StatsdReporterTest {
  @RegisterExtension private final LogCapture log = LogCapture.of(StatsdSocket.class);

  private final Metrics metrics = new Metrics();

  @Test
  void countersGaugesAndHistogramsArriveUnderTheReferencesNames() throws Exception {
    try (var statsd = StatsdReceiver.open()) {
      StatsdReporter reporter = reporter(statsd, Map.of("region", "eu", "app", "a,b"));
      reporter.start();
      metrics.setStatus.of("ok", "Complete").inc(7);
      metrics.maxLag.set(2.5);
      metrics.receivedToPush.of("ns", "task name").observe(0.25);
      await().until(() -> !statsd.lines("taskbroker.push.received_to_push.latency").isEmpty());
      metrics.setStatus.of("ok", "Complete").inc(3);
      reporter.stop();

      await().until(() -> statsd.sum("taskbroker.grpc_server.set_status") == 10);
      assertThat(statsd.lines("taskbroker.grpc_server.set_status"))
          .as("deltas of the intervals")
          .hasSizeGreaterThanOrEqualTo(2)
          .allSatisfy(line -> {
            assertThat(line.kind()).isEqualTo('c');
            assertThat(line.tags())
                .isEqualTo(
                    Map.of("result", "ok", "status", "Complete", "region", "eu", "app", "a_b"));
          });
      assertThat(statsd.lines("taskbroker.upkeep.pending_activation.max_lag.sec"))
          .isNotEmpty()
          .allSatisfy(line -> {
            assertThat(line.value()).isEqualTo(2.5);
            assertThat(line.kind()).isEqualTo('g');
          });
      assertThat(statsd.lines("taskbroker.push.received_to_push.latency"))
          .singleElement()
          .satisfies(line -> {
            assertThat(line.value()).as("milliseconds").isCloseTo(250, within(12.5));
            assertThat(line.kind()).isEqualTo('h');
            assertThat(line.times()).isEqualTo(1);
            assertThat(line.tags())
                .containsEntry("namespace", "ns")
                .containsEntry("taskname", "task_name");
          });
      assertThat(statsd.largest()).isLessThanOrEqualTo(1_024);
    }
  }

  /// A million values take as few lines as a thousand (W46), and the lines stand for as many
  /// values, near the recorded ones.
  @Test
  void w46LinesAreBoundedWhateverTheThroughput() {
    var lines = new StatsdLines(metrics, Map.of());
    lines.write(_ -> {});
    var random = new Random(46);
    double sum = 0;
    for (int i = 0; i < 1_000_000; i++) {
      double value = Math.exp(random.nextGaussian() * 3 - 4);
      sum += value;
      metrics.pushDuration.observe(value);
      metrics.pushAttempts.inc();
    }

    List<Line> received = write(lines);

    List<Line> durations = named(received, "taskbroker.worker.push_task.duration");
    assertThat(durations).hasSizeLessThanOrEqualTo(StatsdLines.MAX_BUCKETS);
    assertThat(durations.stream().mapToLong(Line::times).sum()).isEqualTo(1_000_000);
    double toldSum = durations.stream().mapToDouble(line -> line.value() * line.times()).sum();
    assertThat(toldSum / sum).isCloseTo(1, within(0.05));
    assertThat(named(received, "taskbroker.worker.push_task.attempts"))
        .singleElement()
        .satisfies(line -> assertThat(line.value()).isEqualTo(1_000_000));
    assertThat(named(write(lines), "taskbroker.worker.push_task.duration"))
        .as("lines without new values")
        .isEmpty();
  }

  /// Names of tasks do not determine the cost of metrics.
  @Test
  void w46TagsAreBounded() {
    for (int i = 0; i < 5_000; i++) {
      metrics.receivedToPush.of("ns", "task" + i).observe(0.1);
      metrics.stored.of("topic" + i).inc();
    }

    List<Line> received = write(new StatsdLines(metrics, Map.of()));

    var counts = new HashMap<String, Double>();
    named(received, "taskbroker.consumer.inflight_activation_writer.stored")
        .forEach(line -> counts.put(line.tags().get("topic"), line.value()));
    assertThat(counts).hasSize(Declarations.MAX_COUNTERS + 1);
    assertThat(counts.get(Labelled.OTHER)).isEqualTo(5_000 - Declarations.MAX_COUNTERS);
    List<Line> latencies = named(received, "taskbroker.push.received_to_push.latency");
    assertThat(latencies).hasSize(Declarations.MAX_HISTOGRAMS + 1);
    assertThat(latencies.stream().mapToLong(Line::times).sum()).isEqualTo(5_000);
  }

  @Test
  void tagValuesCannotBreakALine() {
    metrics.stored.of("a|b#c,d\ne:f\u00e9" + "x".repeat(1_000)).inc();

    List<Line> received = write(new StatsdLines(metrics, Map.of()));

    assertThat(named(received, "taskbroker.consumer.inflight_activation_writer.stored"))
        .singleElement()
        .satisfies(
            line -> assertThat(line.tags().get("topic")).startsWith("a_b_c_d_e:f_x").hasSize(100));
  }

  /// No listener, or an unresolvable host: nothing is logged as an error, and later counts arrive
  /// once statsd listens.
  @Test
  void anUnreachableStatsdIsNotAnError() throws Exception {
    InetSocketAddress address;
    try (var gone = StatsdReceiver.open()) {
      address = gone.address();
    }
    var socket = new StatsdSocket(address);
    for (int report = 0; report < 3; report++) {
      socket.begin();
      for (int line = 0; line < 100; line++) {
        socket.add("taskbroker.some.counter:1|c|#number:" + line);
      }
      socket.flush();
    }
    for (int report = 0; report < 6; report++) {
      socket.begin();
      socket.add("taskbroker.some.counter:1|c"); // one datagram: every second one seems to be sent
      socket.flush();
    }
    socket.close();
    assertThat(socket.dropped()).isPositive();
    assertThat(log.events()).as("recoveries logged while statsd is absent").isEmpty();
    var nowhere = new StatsdSocket(InetSocketAddress.createUnresolved("no-host.invalid", 8125));
    nowhere.begin();
    nowhere.add("taskbroker.some.counter:1|c");
    nowhere.flush();
    nowhere.close();

    try (var statsd = StatsdReceiver.open()) {
      var back = new StatsdSocket(statsd.address());
      back.begin();
      back.add("taskbroker.some.counter:2|c");
      back.flush();
      await().until(() -> statsd.sum("taskbroker.some.counter") == 2);
      back.close();
    }
  }

  private StatsdReporter reporter(StatsdReceiver statsd, Map<String, String> tags) {
    return new StatsdReporter(
        metrics,
        statsd.address(),
        tags,
        (stage, cause) -> {
          throw new AssertionError(stage, cause);
        });
  }

  private static List<Line> write(StatsdLines lines) {
    var received = new ArrayList<Line>();
    lines.write(line -> received.add(Line.parse(line)));
    return received;
  }

  private static List<Line> named(List<Line> lines, String name) {
    return lines.stream().filter(line -> line.name().equals(name)).toList();
  }
}
