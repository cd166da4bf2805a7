package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `config check` and `config show`.
final class ConfigCommandTest {
  private static final String GOOD =
      """
      grpc_port: 50099
      grpc_shared_secret: [s3cret]
      """;

  private static final String BAD =
      """
      grpc_port: 99999
      delivery_mode: sideways
      grpc_sharde_secret: [s3cret]
      """;

  @TempDir private Path dir;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void aValidFileIsOk() throws Exception {
    String file = file(GOOD);

    assertThat(run("config", "check", "-c", file)).isZero();
    assertThat(run("-c", file, "config", "check")).isZero();

    assertThat(out.toString().lines()).containsExactly("OK", "OK");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void everythingThatIsWrongIsSaidAtOnce() throws Exception {
    String file = file(BAD);

    assertThat(run("config", "check", "--config", file)).isEqualTo(1);

    assertThat(out.toString()).isEmpty();
    assertThat(err.toString()).doesNotContain("s3cret");
    assertThat(err.toString().lines())
        .hasSize(3)
        .allMatch(line -> line.startsWith("taskbroker: "))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("grpc_port = 99999", file + ":1:"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("sideways", "pull or push"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("warning: ", "grpc_shared_secret"));
  }

  @Test
  void anUnknownKeyIsAWarning() throws Exception {
    assertThat(run("config", "check", "-c", file("db_name: default\n"))).isZero();

    assertThat(out.toString().lines()).containsExactly("OK");
    assertThat(err.toString().lines())
        .singleElement()
        .satisfies(
            line -> assertThat(line).startsWith("taskbroker: warning: ").contains("db_name"));
  }

  @Test
  void errorsOfAStartAreReported() throws Exception {
    assertThat(
            run(
                "config",
                "check",
                "-c",
                file(
                    "{kafka_security_protocol: ssl, kafka_ssl_certificate_location: /no/c,"
                        + " kafka_ssl_key_location: /no/k}\n")))
        .isEqualTo(1);

    assertThat(err.toString().lines())
        .singleElement()
        .satisfies(
            line -> assertThat(line).contains("ssl_certificate_location = /no/c", "PEM file"));
  }

  @Test
  void eachKeyOfAReferenceFileIsExplained() throws Exception {
    String file =
        file(
            """
            grpc_port: 50099
            grpc_shared_secret: [s3cret]
            db_path: ./tasks.sqlite
            fetch_wait_ms: 50
            db_name: default
            store: {max_pending_count: 5}
            kafka_clusters: {main: {address: "127.0.0.1:9092"}}
            kafka_topics:
              tasks: {cluster: main, consumer_group: w, raw: {namespace: n, application: a,
                taskname: t, processing_deadline_duration: 30}}
              dead: {cluster: main, consumer_group: w, produce_only: true}
              retries: {cluster: main, consumer_group: w, produce_only: true}
            kafka_deadletter_topic: dead
            kafka_retry_topic: retries
            worker_map: {a: "http://127.0.0.1:1"}
            """);

    assertThat(run("config", "check", "--reference", file)).isZero();

    assertThat(out.toString().lines())
        .contains("grpc_port\tsame\tPort of the gRPC server; 0 disables the server")
        .anyMatch(line -> line.startsWith("db_path\tmoved\tstore.sqlite.path; "))
        .anyMatch(line -> line.startsWith("fetch_wait_ms\tunused\t"))
        .contains("db_name\tunknown\tignored, with a warning")
        .anyMatch(line -> line.startsWith("store.max_pending_count\t"))
        .contains("kafka_topics.tasks.raw.taskname\tsame\tName of the created tasks")
        .hasSize(22);
    assertThat(out.toString()).doesNotContain("s3cret");
  }

  @Test
  void aReferenceFileWithErrorsIsNotExplained() throws Exception {
    assertThat(run("config", "check", "--reference", file(BAD))).isEqualTo(1);
    assertThat(run("config", "check", "--reference", file(GOOD), "-c", file(GOOD))).isEqualTo(2);

    assertThat(out.toString()).isEmpty();
  }

  @Test
  void healthIsAskedOfTheRunningBrokerOnly() throws Exception {
    assertThat(run("health", "-c", file("metrics_addr: 127.0.0.1:1\n"))).isEqualTo(1);
    assertThat(run("health", "-c", file("metrics_addr: 127.0.0.1:0\n"))).isEqualTo(1);

    assertThat(err.toString().lines())
        .hasSize(2)
        .satisfiesOnlyOnce(line -> assertThat(line).contains("no broker answers at"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("metrics_addr has port 0"));
  }

  @Test
  void showPrintsALoadableConfigurationWithoutSecrets() throws Exception {
    assertThat(run("config", "show", "-c", file(GOOD))).isZero();

    String shown = out.toString();
    assertThat(shown)
        .contains("grpc_port: 50099", "******", "delivery_mode: \"pull\"", "kafka_topics:")
        .doesNotContain("s3cret");
    assertThat(run("config", "check", "-c", file(shown))).isZero();
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void showPrintsNothingOfAnInvalidFile() throws Exception {
    assertThat(run("config", "show", "-c", file(BAD))).isEqualTo(1);
    assertThat(run("config", "show", "-c", dir.resolve("none").toString())).isEqualTo(1);

    assertThat(out.toString()).isEmpty();
    assertThat(err.toString().lines()).hasSize(4).last().asString().contains("does not exist");
  }

  @Test
  void aMissingSubcommandIsReported() {
    assertThat(run("config")).isEqualTo(2);
    assertThat(run("config", "check", "surplus")).isEqualTo(2);

    assertThat(err.toString().lines()).hasSize(2).allMatch(line -> line.contains("config"));
  }

  @Test
  @Timeout(240)
  void theEnvironmentOverridesTheFile() throws Exception {
    Path log = dir.resolve("log");
    BrokerLaunch launch =
        BrokerLaunch.ofThisClassPath(dir, 1, log)
            .withProgram("io.taskbroker.cli.Main", "config", "show")
            .withEnvironment("TASKBROKER_STORE__SQLITE__PATH", "/from/the/environment");

    try (var process = BrokerProcess.start(launch)) {
      await().atMost(Duration.ofSeconds(60)).until(() -> !process.isAlive());

      assertThat(process.exitCode()).hasValue(0);
      assertThat(Files.readString(log))
          .startsWith("delivery_mode: ")
          .contains("path: \"/from/the/environment\"");
    }
  }

  private String file(String text) throws IOException {
    return Files.writeString(Files.createTempFile(dir, "config", ".yaml"), text).toString();
  }

  private int run(String... args) {
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }
}
