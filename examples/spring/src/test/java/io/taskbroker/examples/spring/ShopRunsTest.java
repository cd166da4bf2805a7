package io.taskbroker.examples.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.client.testing.TestBroker;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/// The application as it runs, with the real broker.
@Timeout(240)
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
class ShopRunsTest {
  private static final TestBroker BROKER = TestBroker.start();
  private static final LinkedBlockingQueue<String> MAILS = new LinkedBlockingQueue<>();

  @DynamicPropertySource
  static void useBroker(DynamicPropertyRegistry properties) {
    properties.add("taskbroker.targets", BROKER::address);
    properties.add("spring.datasource.url", () -> "jdbc:h2:mem:runs;DB_CLOSE_DELAY=-1");
  }

  @TestConfiguration(proxyBeanMethods = false)
  static class Mails {
    @Bean
    @Primary
    Mailer mailer() {
      return (email, text) -> MAILS.add(email + " " + text);
    }
  }

  @LocalServerPort int port;

  private final HttpClient http = HttpClient.newHttpClient();

  /// The worker of this context is stopped later, and looks for the broker until then.
  @AfterAll
  static void stopBroker() {
    BROKER.close();
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return http.send(request.timeout(Duration.ofSeconds(20)).build(), BodyHandlers.ofString());
  }

  private HttpRequest.Builder at(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
  }

  @Test
  void anOrderOverHttpGetsAReceiptAndTheWorkerIsSeen() throws Exception {
    var order = "{\"number\": \"4711\", \"email\": \"ada@example.org\", \"total\": 12.50}";
    var post = at("/orders").header("Content-Type", "application/json");
    assertThat(send(post.POST(BodyPublishers.ofString(order))).statusCode()).isEqualTo(201);
    assertThat(MAILS.poll(60, TimeUnit.SECONDS)).isEqualTo("ada@example.org Order 4711: 12.50");

    assertThat(send(at("/actuator/health")).body()).contains("\"taskbroker\":{\"status\":\"UP\"}");
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() ->
            assertThat(send(at("/actuator/taskbroker")).body())
                .contains("\"slots\":50")
                .contains("\"completed\":1")
                .contains("default/nightly-report"));
  }
}
