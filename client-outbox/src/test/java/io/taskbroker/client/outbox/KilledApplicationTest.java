package io.taskbroker.client.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.client.TaskClient;
import io.taskbroker.client.Worker;
import io.taskbroker.client.testing.TestBroker;
import io.taskbroker.testkit.PostgresServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Processes killed by SIGKILL at each statement, against the real broker: calls run exactly if
/// their transaction committed, once each.
///
/// On SQLite; `-Doutbox.kills=all` does it on H2 and Postgres, too.
@Timeout(600)
final class KilledApplicationTest {
  private static final TestBroker BROKER = TestBroker.start();
  private static final BlockingQueue<String> RUNS = new LinkedBlockingQueue<>();
  private static TaskClient client;
  private static Worker worker;

  @TempDir Path dir;

  @BeforeAll
  static void startWorker() {
    client = BROKER.connect();
    worker =
        Worker.builder(client).handle(Purchase.SEND, receipt -> RUNS.add(receipt.order())).start();
  }

  @AfterAll
  static void stopWorker() {
    worker.close();
    client.close();
    BROKER.close();
  }

  static List<String> databases() {
    return System.getProperty("outbox.kills", "").equals("all")
        ? List.of("sqlite", "h2", "postgres")
        : List.of("sqlite");
  }

  private String url(String database) {
    return switch (database) {
      case "sqlite" -> "jdbc:sqlite:" + dir.resolve("shop.sqlite");
      case "h2" -> "jdbc:h2:file:" + dir.resolve("shop") + ";WRITE_DELAY=0";
      default -> {
        PostgresServer.Database created = PostgresServer.shared().newDatabase();
        yield "jdbc:postgresql://%s:%d/%s?user=%s&password=%s"
            .formatted(
                created.host(),
                created.port(),
                created.name(),
                created.username(),
                created.password());
      }
    };
  }

  /// Whether the process reached the statement, at which it was killed.
  private static boolean kill(String what, String url, int statement, boolean before, String number)
      throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                KilledApplication.class.getName(),
                what,
                url,
                BROKER.address(),
                Integer.toString(statement),
                before ? "before" : "after",
                number)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (var out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      @Nullable String line = out.readLine();
      while (line != null && !line.equals("here") && !line.equals("done")) {
        line = out.readLine();
      }
      assertThat(line).as("%s at statement %d", what, statement).isNotNull();
      return "here".equals(line);
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  @ParameterizedTest
  @MethodSource("databases")
  void anApplicationKilledAnywhereEnqueuesExactlyIfItCommitted(String name) throws Exception {
    String url = url(name);
    DataSource source = KilledApplication.source(url);
    OutboxDatabase database = Purchase.createTables(source);
    Map<String, Integer> expected = new HashMap<>();
    long committed = 0;
    for (boolean before : new boolean[] {true, false}) {
      boolean killed = true;
      for (int statement = 1; killed; statement++) {
        String number = UUID.randomUUID().toString();
        killed = kill("buy", url, statement, before, number);
        long orders = Purchase.count(source, "orders");
        assertThat(killed || orders > committed).isTrue();
        expected.put(number, orders > committed ? Purchase.CALLS : 0);
        committed = orders;
        relayAll(source, database);
      }
    }
    assertThat(committed).isGreaterThanOrEqualTo(3); // killed after the commit, and two not killed
    assertThat(runs(expected)).isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("databases")
  void callsOfARelayKilledAnywhereRunOnce(String name) throws Exception {
    String url = url(name);
    DataSource source = KilledApplication.source(url);
    OutboxDatabase database = Purchase.createTables(source);
    Map<String, Integer> expected = new HashMap<>();
    for (boolean before : new boolean[] {true, false}) {
      boolean killed = true;
      for (int statement = 1; killed; statement++) {
        String number = UUID.randomUUID().toString();
        Purchase.buy(source, database, client, number);
        expected.put(number, Purchase.CALLS);
        killed = kill("relay", url, statement, before, number);
        relayAll(source, database);
      }
    }
    assertThat(expected).hasSizeGreaterThanOrEqualTo(10);
    assertThat(runs(expected)).isEqualTo(expected);
  }

  /// Another relay goes on, as soon as the database notices that the killed one is gone.
  private static void relayAll(DataSource source, OutboxDatabase database) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> {
          OutboxRelay.sendAll(source, database, client);
          return Purchase.count(source, "taskbroker_outbox") == 0;
        });
  }

  /// How often the task of each of these orders ran, when all expected runs and a last one have
  /// ended.
  private static Map<String, Integer> runs(Map<String, Integer> expected) throws Exception {
    int left = expected.values().stream().mapToInt(count -> count).sum();
    Map<String, Integer> runs = new HashMap<>();
    expected.keySet().forEach(number -> runs.put(number, 0));
    while (left > 0) {
      String number = RUNS.poll(60, TimeUnit.SECONDS);
      assertThat(number).as("%d more runs", left).isNotNull();
      left -= runs.computeIfPresent(number, (key, count) -> count + 1) == null ? 0 : 1;
    }
    client.enqueue(Purchase.SEND, new Purchase.Receipt("last"));
    for (String number = RUNS.take(); !number.equals("last"); number = RUNS.take()) {
      runs.computeIfPresent(number, (key, count) -> count + 1);
    }
    return runs;
  }
}
