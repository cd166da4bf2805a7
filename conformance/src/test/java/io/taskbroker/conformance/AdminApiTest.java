package io.taskbroker.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Ports;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The admin API of a real broker answers generated requests as its OpenAPI document says
/// (schemathesis), and never with an error of its own.
@Timeout(400)
@ExtendWith({SharedKafka.class, LogsOfFailure.class})
@Execution(ExecutionMode.CONCURRENT)
final class AdminApiTest {
  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration LONGEST = Duration.ofSeconds(180);
  private static final String EXAMPLES = Integer.toString(Integer.getInteger("admin.examples", 30));
  private static final Path SCRIPT = Path.of("admin-api").toAbsolutePath();

  @Test
  void everyAnswerIsAsDocumented(EmbeddedKafka kafka) throws Exception {
    int port = Ports.free();
    Path python = PythonEnvironment.SCHEMATHESIS.python();
    try (var deployment = Deployment.pull(kafka, "admin-api", PythonEnvironment.CURRENT)) {
      deployment
          .with("admin", "{addr: \"127.0.0.1:%d\", requests_per_second: 10000}".formatted(port))
          .startBroker();
      await().atMost(START).ignoreExceptions().until(() -> status(port) == 200);

      Path output = Files.createTempFile("admin-api", ".txt");
      var command = new ProcessBuilder(SCRIPT.toString(), "http://127.0.0.1:" + port);
      command.environment().put("ST", python.resolveSibling("st").toString());
      command.environment().put("EXAMPLES", EXAMPLES);
      command.environment().put("MAX_TIME", "60");
      Process process = command.redirectErrorStream(true).redirectOutput(output.toFile()).start();
      try {
        assertThat(process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)).as("it ends").isTrue();
        String text = Files.readString(output, UTF_8);
        assertThat(process.exitValue()).as(text).isZero();
        System.out.println(text.lines().reduce((_, last) -> last).orElse(""));
      } finally {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        Files.delete(output);
      }
      assertThat(status(port)).as("the broker still answers").isEqualTo(200);
      assertThat(deployment.stopBroker()).as("exit code").isZero();
    }
  }

  private static int status(int port) throws Exception {
    try (var client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/overview"))
                  .build(),
              HttpResponse.BodyHandlers.discarding())
          .statusCode();
    }
  }
}
