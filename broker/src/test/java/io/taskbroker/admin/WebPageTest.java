package io.taskbroker.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigLoader;
import io.taskbroker.inflight.api.Pauses;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The server's side of the web page: headers, sessions, protection from other sites, live figures.
@Timeout(240)
@SuppressWarnings("NullAway.Init") // by each start
final class WebPageTest {
  private static final String TOKEN = "0123456789abcdef0123";
  private static final String PAUSE = "{\"application\":\"a\",\"reason\":\"a test\"}";

  private final HttpClient http = HttpClient.newHttpClient();
  @TempDir private Path dir;
  private AdminServer server;

  @AfterEach
  void stop() {
    server.stop();
  }

  @Test
  void thePageAllowsNothingInlineAndNoOtherServer() throws Exception {
    start("");
    for (String path : List.of("/ui/", "/ui/tasks", "/ui/session")) {
      HttpResponse<String> answer = send(request("GET", path));
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.headers().firstValue("Content-Security-Policy").orElseThrow())
          .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
          .doesNotContain("unsafe", "http");
      assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
      assertThat(answer.headers().firstValue("Referrer-Policy")).hasValue("no-referrer");
    }
    assertThat(send(request("GET", "/")).headers().firstValue("Location").orElseThrow())
        .endsWith("/ui/");
  }

  @Test
  void filesAreKeptUntilTheyChange() throws Exception {
    start("");
    String index = send(request("GET", "/ui/")).body();
    String script = index.replaceAll("(?s).*src=\"([^\"]+app\\.js)\".*", "$1");
    HttpResponse<String> answer = send(request("GET", script));
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Cache-Control").orElseThrow()).contains("immutable");
    assertThat(send(request("GET", "/ui/assets/0000/app.js")).statusCode()).isEqualTo(404);
    assertThat(send(request("GET", script.replace("app.js", "../x"))).statusCode())
        .isGreaterThanOrEqualTo(400);
    assertThat(send(request("POST", "/ui/tasks")).statusCode()).isEqualTo(405);
  }

  @Test
  void aCookieAloneReadsButDoesNotWrite() throws Exception {
    start("tokens: " + tokens("ann admin"));
    assertThat(send(request("GET", "/ui/session")).body()).contains("\"signed_in\":false");
    String cookie = signIn();
    assertThat(send(request("GET", "/v1/pauses", "Cookie", cookie)).statusCode()).isEqualTo(200);
    String session = send(request("GET", "/ui/session", "Cookie", cookie)).body();
    assertThat(session).contains("\"name\":\"ann\"", "\"role\":\"admin\"").doesNotContain(TOKEN);
    assertThat(pause("Cookie", cookie).statusCode()).isEqualTo(401);
    assertThat(pause("Cookie", cookie, "X-Taskbroker-Session", "guess").statusCode())
        .isEqualTo(401);
    String own = session.replaceAll(".*\"cross_site_token\":\"([^\"]+)\".*", "$1");
    assertThat(pause("Cookie", cookie, "X-Taskbroker-Session", own).statusCode()).isEqualTo(200);
  }

  @Test
  void aSessionEndsWithItsTokenAndWithSigningOut() throws Exception {
    Path tokens = tokens("ann admin");
    start("tokens: " + tokens);
    String cookie = signIn();
    String other = signIn();
    assertThat(send(request("DELETE", "/ui/session", "Cookie", cookie)).statusCode())
        .isEqualTo(200);
    assertThat(send(request("GET", "/v1/pauses", "Cookie", cookie)).statusCode()).isEqualTo(401);
    assertThat(send(request("GET", "/v1/pauses", "Cookie", other)).statusCode()).isEqualTo(200);

    Files.writeString(tokens, "bob admin " + "0".repeat(64) + "\n");
    Files.setLastModifiedTime(tokens, FileTime.from(Instant.now().plusSeconds(5)));
    await().until(() -> send(request("GET", "/v1/pauses", "Cookie", other)).statusCode() == 401);
  }

  @Test
  void aWrongTokenOpensNoSession() throws Exception {
    start("tokens: " + tokens("ann admin"));
    for (String body :
        List.of("{\"token\":\"wrong-wrong-wrong-wrong\"}", "{}", "no json", "x".repeat(9_000))) {
      HttpResponse<String> answer = send(request("POST", "/ui/session", body, List.of()));
      assertThat(answer.statusCode()).as(body).isEqualTo(401);
      assertThat(answer.headers().firstValue("Set-Cookie")).isEmpty();
    }
  }

  @Test
  void pagesOfOtherSitesDoNotWrite() throws Exception {
    start("");
    assertThat(pause("Sec-Fetch-Site", "cross-site").statusCode()).isEqualTo(403);
    assertThat(pause("Sec-Fetch-Site", "same-site").statusCode()).isEqualTo(403);
    assertThat(pause("Origin", "https://evil.example").statusCode()).isEqualTo(403);
    assertThat(pause("Sec-Fetch-Site", "same-origin").statusCode()).isEqualTo(200);
    assertThat(pause().statusCode()).isEqualTo(200);
  }

  @Test
  void readOnlyModeRefusesEveryWrite() throws Exception {
    start("read_only: true");
    HttpResponse<String> answer = pause();
    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(answer.body()).contains("admin.read_only");
    assertThat(send(request("GET", "/v1/pauses")).statusCode()).isEqualTo(200);
    assertThat(send(request("GET", "/ui/session")).body()).contains("\"read_only\":true");
  }

  @Test
  void g7StreamsOfLiveFiguresAreBounded() throws Exception {
    start("requests_per_second: 1000");
    List<InputStream> open = new ArrayList<>();
    try {
      HttpResponse<InputStream> last = stream();
      while (last.statusCode() == 200 && open.size() < 100) {
        open.add(last.body());
        last = stream();
      }
      assertThat(last.statusCode()).isEqualTo(503);
      assertThat(open).hasSize(32);
      assertThat(new String(open.getFirst().readNBytes(200), UTF_8))
          .contains("retry: 500", "event: overview");
    } finally {
      for (InputStream each : open) {
        each.close();
      }
    }
    await().until(() -> stream().statusCode() == 200);
  }

  @Test
  void streamsEndWhenTheServerStops() throws Exception {
    start("");
    InputStream stream = stream().body();
    long begin = System.nanoTime();
    server.stop();
    while (stream.read() >= 0) {
      // until its end
    }
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(25));
  }

  private HttpResponse<InputStream> stream() throws Exception {
    return http.send(request("GET", "/ui/events"), BodyHandlers.ofInputStream());
  }

  private String signIn() throws Exception {
    HttpResponse<String> answer =
        send(request("POST", "/ui/session", "{\"token\":\"" + TOKEN + "\"}", List.of()));
    assertThat(answer.statusCode()).isEqualTo(200);
    String cookie = answer.headers().firstValue("Set-Cookie").orElseThrow();
    assertThat(cookie).contains("HttpOnly", "SameSite=Strict").doesNotContain(TOKEN);
    return cookie.split(";", 2)[0];
  }

  private HttpResponse<String> pause(String... headers) throws Exception {
    return send(request("POST", "/v1/pause", PAUSE, List.of(headers)));
  }

  private HttpRequest request(String method, String path, String... headers) {
    return request(method, path, "", List.of(headers));
  }

  private HttpRequest request(String method, String path, String body, List<String> headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .method(
                method,
                body.isEmpty()
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body));
    if (!body.isEmpty()) {
      request.header("Content-Type", "application/json");
    }
    for (int i = 0; i < headers.size(); i += 2) {
      request.header(headers.get(i), headers.get(i + 1));
    }
    return request.build();
  }

  private HttpResponse<String> send(HttpRequest request) throws Exception {
    return http.send(request, BodyHandlers.ofString());
  }

  private Path tokens(String nameAndRole) throws Exception {
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(TOKEN.getBytes(UTF_8));
    return Files.writeString(
        dir.resolve("tokens"), nameAndRole + " " + HexFormat.of().formatHex(hash) + "\n");
  }

  private void start(String keys) throws Exception {
    Path file =
        Files.writeString(
            dir.resolve("config.yaml"),
            "admin: {addr: \"127.0.0.1:0\"" + (keys.isEmpty() ? "" : ", " + keys) + "}");
    BrokerConfig config = ConfigLoader.load(Optional.of(file), Map.of(), _ -> {});
    var engine = new AdminServerTest.FakeEngine(new ArrayList<>());
    server =
        new AdminServer(
            config,
            Optional.empty(),
            new AdminServer.FilesOf(dir.resolve("audit"), dir.resolve("pauses")),
            Pauses.NONE,
            new AdminServer.Parts(
                engine,
                new AdminServerTest.NoRows(),
                AdminServerTest.operatorRules(dir, engine),
                AdminServerTest.schedules(engine),
                new AdminServerTest.FakeBroker()),
            (_, failure) -> failure.printStackTrace());
    server.start();
  }
}
