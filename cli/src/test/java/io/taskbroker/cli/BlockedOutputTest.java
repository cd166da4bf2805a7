package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// G9: whatever happens to the outputs of the real process, its tasks go on and it stops
/// gracefully. Outputs and receivers are blocked, full and closed.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class BlockedOutputTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration STOP_TIME = Duration.ofSeconds(30);
  private static final int TASKS = 100;

  /// Capacity of a pipe.
  private static final int PIPE_BYTES = 64 << 10;

  private static final String INTO = "exec \"$@\" > \"$0\" 2>&1";

  private final ExecutionLog log = new ExecutionLog(2 * TASKS);
  private final int metricsPort = Ports.free();

  @TempDir private Path dir;
  private Path pipe;

  @BeforeEach
  void makePipe() throws Exception {
    pipe = dir.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
  }

  @Test
  void g9AReaderThatDoesNotReadStopsNothingAndHearsOfWhatItMissed(KafkaView view) throws Exception {
    BrokerSetup setup = setup(view, "blocked").with("log_filter", "debug,org.apache.kafka=trace");
    try (var reader = new RandomAccessFile(pipe.toFile(), "rw")) {
      reader.write(new byte[PIPE_BYTES]);
      try (BrokerProcess broker = setup.startInside("sh", "-c", INTO, pipe.toString())) {
        broker.awaitServing(PATIENCE);
        runTasks(view, setup, 0);
        await()
            .atMost(PATIENCE)
            .untilAsserted(() ->
                assertThat(get("/metrics").body())
                    .containsPattern(
                        "taskbroker_telemetry_dropped_total\\{channel=\"log\"} [1-9]"));
        assertThat(get("/health").statusCode()).isEqualTo(200);

        var readLines = new Reading(new FileInputStream(reader.getFD()));
        readLines.start();
        await()
            .atMost(PATIENCE)
            .untilAsserted(() ->
                assertThat(readLines.text())
                    .contains("WARN  LogAppender: ", " log lines before this one were dropped"));

        assertThat(broker.stop(STOP_TIME)).isZero();
        await().atMost(PATIENCE).until(() -> readLines.contains("statsd reporter stopped in"));
        readLines.interrupt();
      }
    }
  }

  @Test
  void g9AProcessWithABlockedLogStopsGracefullyAndReportsFailures(KafkaView view) throws Exception {
    BrokerSetup setup = setup(view, "stopped");
    BrokerSetup wrong = setup(view, "wrong").with("grpc_port", "\"none\"");
    try (var reader = new RandomAccessFile(pipe.toFile(), "rw")) {
      reader.write(new byte[PIPE_BYTES]);
      try (BrokerProcess broker = setup.startInside("sh", "-c", INTO, pipe.toString());
          BrokerProcess refused = wrong.startInside("sh", "-c", INTO, pipe.toString())) {
        broker.awaitServing(PATIENCE);
        runTasks(view, setup, 0);
        assertThat(broker.stop(STOP_TIME)).isZero();
        await().atMost(PATIENCE).until(() -> !refused.isAlive());
        assertThat(refused.exitCode()).hasValue(1);
      }
    }
  }

  @Test
  void g9AReaderThatIsGoneStopsNothingAndTheNextOneHearsOfWhatWasMissed(KafkaView view)
      throws Exception {
    BrokerSetup setup = setup(view, "gone").with("log_filter", "debug,org.apache.kafka=info");
    var first = new RandomAccessFile(pipe.toFile(), "rw");
    try (BrokerProcess broker = setup.startInside("sh", "-c", INTO, pipe.toString())) {
      broker.awaitServing(PATIENCE);
      first.close();
      runTasks(view, setup, 0);
      assertThat(get("/health").statusCode()).isEqualTo(200);

      try (var second = new FileInputStream(pipe.toFile())) {
        var reading = new Reading(second);
        reading.start();
        runTasks(view, setup, TASKS);
        await()
            .atMost(PATIENCE)
            .untilAsserted(() ->
                assertThat(reading.text())
                    .contains("WARN  LogAppender: ", " log lines before this one were dropped"));
        assertThat(broker.stop(STOP_TIME)).isZero();
      }
    }
  }

  @Test
  void g9ADiskThatIsFullOfLogsStopsNothing(KafkaView view) throws Exception {
    BrokerSetup setup = setup(view, "full");
    try (BrokerProcess broker = setup.startInside("sh", "-c", INTO, "/dev/full")) {
      broker.awaitServing(PATIENCE);
      runTasks(view, setup, 0);
      assertThat(get("/health").statusCode()).isEqualTo(200);
      assertThat(broker.stop(STOP_TIME)).isZero();
    }
  }

  @Test
  void g9ASentryThatNeverAnswersAndAStatsdOfNoAddressStopNothing(KafkaView view) throws Exception {
    try (var silent = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"))) {
      BrokerSetup setup =
          setup(view, "silent")
              .with("sentry_dsn", "\"http://key@127.0.0.1:%d/1\"".formatted(silent.getLocalPort()))
              .with("statsd_addr", "statsd.invalid:8125")
              .with("log_filter", "debug,org.apache.kafka=info");
      try (BrokerProcess broker = setup.start()) {
        broker.awaitServing(PATIENCE);
        runTasks(view, setup, 0);
        await()
            .atMost(PATIENCE)
            .untilAsserted(() ->
                assertThat(get("/metrics").body())
                    .containsPattern(
                        "taskbroker_telemetry_dropped_total\\{channel=\"statsd\"} [1-9]")
                    .containsPattern(
                        "taskbroker_telemetry_dropped_total\\{channel=\"sentry\"} [1-9]"));
        assertThat(broker.stop(STOP_TIME)).isZero();
      }
    }
  }

  private BrokerSetup setup(KafkaView view, String name) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "output-" + name, view.bootstrap())
            .with("metrics_addr", "127.0.0.1:" + metricsPort);
    view.createTopics(setup, 1);
    return setup;
  }

  private void runTasks(KafkaView view, BrokerSetup setup, int from) throws Exception {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 200, 1);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log);
        var worker =
            PullWorker.start(
                WorkerOptions.of(setup.address()).withConcurrency(20),
                BrokerSetup.APPLICATION,
                Behaviour.completing(Duration.ofMillis(5)),
                log)) {
      for (int task = from; task < from + TASKS; task++) {
        producer.send(task, template.task(task).build());
      }
      producer.flush();
      await().atMost(PATIENCE).until(() -> log.completedTasks() == from + TASKS);
      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
    }
  }

  private HttpResponse<String> get(String path) throws Exception {
    try (var client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + metricsPort + path))
              .timeout(Duration.ofSeconds(10))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  /// Reads until the other end closes.
  private static final class Reading extends Thread {
    private final InputStream in;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Reading(InputStream in) {
      this.in = in;
      setDaemon(true);
    }

    @Override
    public void run() {
      try {
        byte[] block = new byte[8_192];
        for (int n = in.read(block); n >= 0; n = in.read(block)) {
          bytes.write(block, 0, n);
        }
      } catch (java.io.IOException e) {
        bytes.writeBytes(e.toString().getBytes(UTF_8));
      }
    }

    boolean contains(String part) {
      return text().contains(part);
    }

    String text() {
      return bytes.toString(UTF_8);
    }
  }
}
