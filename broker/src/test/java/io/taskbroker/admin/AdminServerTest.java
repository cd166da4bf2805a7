package io.taskbroker.admin;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigException;
import io.taskbroker.config.ConfigLoader;
import io.taskbroker.deliver.PushAddress;
import io.taskbroker.grpc.EnqueuedTemplates;
import io.taskbroker.grpc.PullWorker;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.inflight.api.OperatorRequest;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.rules.OperatorRules;
import io.taskbroker.rules.RuleContext;
import io.taskbroker.rules.RuleHistoryFile;
import io.taskbroker.rules.RuleStatus;
import io.taskbroker.rules.RulesInForce;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.schedule.Schedules;
import io.taskbroker.store.FinishedPage;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowGroups;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.telemetry.Distribution;
import io.taskbroker.telemetry.Logging;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.CertificateAuthority.Issued;
import io.taskbroker.tls.PemFile;
import io.taskbroker.tls.TlsContext;
import io.taskbroker.tls.TlsFiles;
import io.taskbroker.tls.TlsFiles.IdentityFiles;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/// Who may call the admin API, in which size and number; with a fake engine and store.
@Timeout(240)
@SuppressWarnings("NullAway.Init") // by each start
final class AdminServerTest {
  private static final String TOKEN = "0123456789abcdef0123";
  private static final String ACT = "{\"application\":\"a\",\"reason\":\"a test\"}";

  private final List<Command> commands = new ArrayList<>();
  private final FakeEngine engine = new FakeEngine(commands);

  @TempDir private Path dir;
  private AdminServer server;

  @AfterEach
  void stop() {
    if (server != null) {
      server.stop();
    }
  }

  @Test
  void onLoopbackWithoutAuthenticationEverybodyMayActUnderALoopbackName() throws Exception {
    start("");
    assertThat(get("Host: localhost")).startsWith("HTTP/1.1 200");
    assertThat(get("Host: 127.0.0.1:9470")).startsWith("HTTP/1.1 200");
    assertThat(get("Host: evil.example"))
        .startsWith("HTTP/1.1 403")
        .contains("application/problem+json", "by a loopback name only");
    assertThat(pause("Host: localhost")).startsWith("HTTP/1.1 200");
  }

  @Test
  void otherAddressesNeedAuthentication() throws Exception {
    for (String address : List.of("0.0.0.0:1", "10.0.0.1:1", "\"[::]:1\"", "example.org:1")) {
      assertThatThrownBy(() -> config("admin: {addr: " + address + "}"))
          .as(address)
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("must be a loopback address");
      config("admin: {addr: " + address + ", tokens: /t}");
    }
    config("admin: {addr: \"[::1]:1\"}");
  }

  @Test
  void tokensHaveRolesAndAreReadAgainWhenTheyChange() throws Exception {
    Path tokens = tokens("reader read");
    start("tokens: " + tokens);
    assertThat(get("Host: anything"))
        .startsWith("HTTP/1.1 401")
        .contains("WWW-Authenticate: Bearer");
    assertThat(get("Authorization: Bearer wrong-wrong-wrong-wrong")).startsWith("HTTP/1.1 401");
    assertThat(get("Authorization: Basic " + TOKEN)).startsWith("HTTP/1.1 401");
    assertThat(get("Authorization: Bearer " + TOKEN)).startsWith("HTTP/1.1 200");
    assertThat(pause("Authorization: Bearer " + TOKEN))
        .startsWith("HTTP/1.1 403")
        .contains("reader has the role READ; this needs OPERATE");
    assertThat(audit())
        .contains("\"phase\":\"refused\"", "reader has the role READ")
        .doesNotContain("intended");

    tokens("operator operate");
    Files.setLastModifiedTime(
        tokens, java.nio.file.attribute.FileTime.from(Instant.now().plusSeconds(5)));
    await().until(() -> pause("Authorization: Bearer " + TOKEN).startsWith("HTTP/1.1 200"));
    assertThat(audit())
        .contains("\"who\":\"operator\"", "\"phase\":\"intended\"", "\"phase\":\"done\"");
  }

  /// Of each operation, so that a new one cannot be open to everybody who may look.
  @Test
  void eachWriteNeedsItsRole() throws Exception {
    start(
        "trusted_proxies: [127.0.0.1], identity_header: X-User, requests_per_second: 10000,"
            + " roles: {ann: operate, bob: read}");
    List<Route> writes = server.operations().stream().filter(Route::writes).toList();
    assertThat(writes).hasSizeGreaterThan(10);
    List<String> forAdmins = new ArrayList<>();
    for (Route route : writes) {
      String path = route.path().replaceAll("\\{[a-z]+}", "x");
      assertThat(send(request(route.method(), path, "X-User: bob", "{}")))
          .as("%s %s by a reader", route.method(), path)
          .startsWith("HTTP/1.1 403")
          .contains("bob has the role READ");
      String answer = send(request(route.method(), path, "X-User: ann", "{}"));
      if (answer.contains("this needs ADMIN")) {
        forAdmins.add(path);
      } else {
        assertThat(answer)
            .as("%s %s without a reason", route.method(), path)
            .contains("HTTP/1.1 4");
      }
    }
    assertThat(forAdmins).containsExactlyInAnyOrder("/v1/drain", "/v1/log-levels");
  }

  @Test
  void invalidTokensEndTheStartWithoutShowingThem() throws Exception {
    Path tokens = Files.writeString(dir.resolve("tokens"), "ann admin " + TOKEN);
    assertThatThrownBy(() -> start("tokens: " + tokens))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("line 1")
        .hasMessageNotContaining(TOKEN);
  }

  /// The library logs the bytes of requests at `debug`.
  @Test
  void tokensAreNotLoggedAtAnyLevel() throws Exception {
    var appender = new ListAppender<ILoggingEvent>();
    appender.list = new CopyOnWriteArrayList<>();
    appender.start();
    List<Logger> loggers =
        Stream.of("org.eclipse.jetty", "org.eclipse.jetty.http", "io.taskbroker")
            .map(name -> (Logger) LoggerFactory.getLogger(name))
            .toList();
    List<Level> before = new ArrayList<>();
    for (Logger logger : loggers) {
      before.add(logger.getLevel());
      logger.addAppender(appender);
      assertThat(Logging.set(logger.getName() + "=trace")).isTrue();
    }
    try {
      start("tokens: " + tokens("reader read"));
      assertThat(get("Authorization: Bearer " + TOKEN)).startsWith("HTTP/1.1 200");
      String signIn = "{\"token\":\"" + TOKEN + "\"}";
      assertThat(send(request("POST", "/ui/session", "Host: localhost", signIn)))
          .startsWith("HTTP/1.1 200");
    } finally {
      for (int i = 0; i < loggers.size(); i++) {
        loggers.get(i).detachAppender(appender);
        loggers.get(i).setLevel(before.get(i));
      }
    }
    assertThat(appender.list)
        .isNotEmpty()
        .noneMatch(event -> event.getFormattedMessage().contains(TOKEN));
  }

  @Test
  void headerOfATrustedProxyNamesTheCaller() throws Exception {
    start(
        "trusted_proxies: [127.0.0.1], identity_header: X-User, roles: {ann: operate, \"*\":"
            + " read}");
    assertThat(get("Host: x")).startsWith("HTTP/1.1 401");
    assertThat(get("X-User: bob")).startsWith("HTTP/1.1 200");
    assertThat(pause("X-User: bob")).startsWith("HTTP/1.1 403");
    assertThat(pause("X-User: ann")).startsWith("HTTP/1.1 200");
    assertThat(audit()).contains("\"who\":\"ann\"");
  }

  @Test
  void headerOfAnybodyElseIsNotBelieved() throws Exception {
    start("trusted_proxies: [10.0.0.9], identity_header: X-User, roles: {ann: admin}");
    assertThat(get("X-User: ann")).startsWith("HTTP/1.1 401");
  }

  @Test
  void aHeaderThatTheClientSentToTheProxyTooIsNotBelieved() throws Exception {
    start("trusted_proxies: [127.0.0.1], identity_header: X-User, roles: {ann: admin, bob: read}");
    assertThat(get("X-User: ann\r\nX-User: bob")).startsWith("HTTP/1.1 401");
    assertThat(get("X-User: bob")).startsWith("HTTP/1.1 200");
  }

  @Test
  void onlyTheCommonNameOfACertificateIsOne() {
    assertThat(Authenticator.commonName("CN=ann,O=shop")).contains("ann");
    assertThat(Authenticator.commonName("OU=a,CN=bob,CN=ca,O=shop")).contains("bob");
    assertThat(Authenticator.commonName("CN=ann+OU=x,O=shop")).contains("ann");
    assertThat(Authenticator.commonName("CN=ann\\, of shop")).contains("ann, of shop");
    assertThat(Authenticator.commonName("O=x\\,CN=ann,CN=eve")).contains("eve");
    assertThat(Authenticator.commonName("O=x\\,CN=ann")).isEmpty();
    assertThat(Authenticator.commonName("")).isEmpty();
  }

  @Test
  void clientCertificateNamesTheCaller() throws Exception {
    var authority = new CertificateAuthority("operators");
    Issued own = authority.issue(dir, "broker", "127.0.0.1");
    Issued ann = authority.issue(dir, "ann");
    Path ca = authority.write(dir.resolve("ca.pem"));
    start(
        "tls_certificate: %s, tls_key: %s, tls_client_ca: %s, roles: {ann: operate}"
            .formatted(own.certificate(), own.key(), ca),
        Optional.of(
            TlsContext.http1Server(
                new TlsFiles(
                    Optional.of(
                        new IdentityFiles(
                            new PemFile("c", own.certificate()), new PemFile("k", own.key()))),
                    Optional.of(new PemFile("ca", ca))))));
    try (Socket socket = tls(ca, ann).getSocketFactory().createSocket(address(), server.port())) {
      assertThat(exchange(socket, request("POST", "/v1/pause", "Host: x", ACT)))
          .startsWith("HTTP/1.1 200");
    }
    assertThat(audit()).contains("\"who\":\"ann\"");
    assertThatThrownBy(
            () -> {
              try (Socket socket =
                  tls(ca, null).getSocketFactory().createSocket(address(), server.port())) {
                assertThat(exchange(socket, request("GET", "/v1/pauses", "Host: x", ""))).isEmpty();
                throw new IOException("closed");
              }
            })
        .isInstanceOf(IOException.class);
  }

  @Test
  void g7LargeRequestsAreRefused() throws Exception {
    start("");
    assertThat(get("X-Long: " + "x".repeat(20_000))).startsWith("HTTP/1.1 431");
    String large = "{\"reason\":\"" + "x".repeat(300_000) + "\"}";
    assertThat(send(request("POST", "/v1/pause", "Host: localhost", large)))
        .startsWith("HTTP/1.1 413");
    assertThat(send("nonsense\r\n\r\n")).startsWith("HTTP/1.1 400").contains("problem+json");
  }

  @Test
  void g7PagesOfDeadLettersAreBounded() throws Exception {
    start("");
    assertThat(send(request("GET", "/v1/dead-letters?limit=501", "Host: localhost", "")))
        .startsWith("HTTP/1.1 400")
        .contains("500");
  }

  @Test
  void g7RequestsOfOneAddressAreLimitedInRate() throws Exception {
    start("requests_per_second: 5");
    List<String> answers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      answers.add(get("Host: localhost"));
    }
    assertThat(answers).anyMatch(answer -> answer.startsWith("HTTP/1.1 429"));
    assertThat(answers.stream().filter(answer -> answer.startsWith("HTTP/1.1 429")))
        .allMatch(answer -> answer.contains("Retry-After: 1"));
  }

  /// Few enough beyond the limit that the backlog of the listener takes them: the kernel tries a
  /// connection that finds it full again after seconds.
  @Test
  void g7ConnectionsAreBounded() throws Exception {
    start("");
    List<Socket> idle = new ArrayList<>();
    try {
      for (int i = 0; i < AdminServer.MAX_CONNECTIONS + AdminServer.BACKLOG / 2; i++) {
        idle.add(new Socket(address(), server.port()));
      }
      await().until(() -> server.connections() == AdminServer.MAX_CONNECTIONS);
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
    await().until(() -> get("Host: localhost").startsWith("HTTP/1.1 200"));
  }

  @Test
  void webPagesOfOthersCannotAct() throws Exception {
    start("");
    String form =
        "POST /v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
            + "Content-Length: "
            + ACT.length()
            + "\r\n\r\n"
            + ACT;
    assertThat(send(form)).startsWith("HTTP/1.1 415");
    assertThat(commands).noneMatch(AdminServerTest::changesPauses);
  }

  @Test
  void nothingIsDoneWithoutARecord() throws Exception {
    Files.createDirectory(dir.resolve("folder"));
    start("audit_file: " + dir.resolve("folder"));
    assertThat(pause("Host: localhost"))
        .startsWith("HTTP/1.1 503")
        .contains("The act was not done: it cannot be recorded");
    assertThat(commands).noneMatch(AdminServerTest::changesPauses);
    assertThat(dir.resolve("pauses")).doesNotExist();
  }

  /// A caller that heard of a failure would act again.
  @Test
  void whatIsDoneIsAnsweredAlthoughItsOutcomeCannotBeRecorded() throws Exception {
    start("");
    engine.interrupts = true; // which ends the next write
    assertThat(pause("Host: localhost")).startsWith("HTTP/1.1 200");
    engine.interrupts = false;
    assertThat(audit().lines()).singleElement().asString().contains("\"phase\":\"intended\"");
    assertThat(pause("Host: localhost")).startsWith("HTTP/1.1 200");
    assertThat(audit().lines()).hasSize(3);
  }

  private static boolean changesPauses(Command command) {
    return command instanceof Command.Operate(OperatorRequest.ChangePauses _);
  }

  @Test
  void reasonsAreRequired() throws Exception {
    start("");
    assertThat(send(request("POST", "/v1/pause", "Host: localhost", "{\"application\":\"a\"}")))
        .startsWith("HTTP/1.1 400")
        .contains("reason must say why");
  }

  /// Otherwise `dry_run` would keep an act that knows nothing of it out of the record.
  @Test
  void onlyActsThatCanBeTriedHaveADryRun() throws Exception {
    start("");
    for (String act :
        List.of(
            "POST /v1/drain",
            "POST /v1/pause",
            "POST /v1/schedules/s/pause",
            "POST /v1/schedules/s/run",
            "DELETE /v1/schedules/s")) {
      String[] operation = act.split(" ", -1);
      String body = "{\"dry_run\":true,\"reason\":\"a test\"}";
      assertThat(send(request(operation[0], operation[1], "Host: localhost", body)))
          .as(act)
          .startsWith("HTTP/1.1 400")
          .contains("dry_run");
    }
    assertThat(commands).noneMatch(Command.Drain.class::isInstance);
  }

  @Test
  void aFieldIsGivenOnce() throws Exception {
    start("");
    String body = "{\"act\":\"cancel\",\"ids\":[\"a\"],\"dry_run\":false,\"dry_run\":true}";
    assertThat(send(request("POST", "/v1/tasks/act", "Host: localhost", body)))
        .startsWith("HTTP/1.1 400")
        .contains("uplicate");
  }

  /// An age whose milliseconds overflow would match all tasks.
  @Test
  void agesOfAFilterAreBounded() throws Exception {
    start("");
    for (String age : List.of("-1", "9223372036854775807", "9223372036854776")) {
      for (String name : List.of("older_than_seconds", "younger_than_seconds")) {
        String body =
            "{\"act\":\"cancel\",\"filter\":{\"%s\":%s},\"reason\":\"a test\"}"
                .formatted(name, age);
        assertThat(send(request("POST", "/v1/tasks/act", "Host: localhost", body)))
            .as("%s %s", name, age)
            .startsWith("HTTP/1.1 400")
            .contains("filter." + name);
      }
    }
    String none = "{\"act\":\"cancel\",\"ids\":[null],\"reason\":\"a test\"}";
    assertThat(send(request("POST", "/v1/tasks/act", "Host: localhost", none)))
        .startsWith("HTTP/1.1 400")
        .contains("ids must have");
  }

  @Test
  void aStoreThatCannotAnswerIsNoFailureOfTheBroker() throws Exception {
    start("");
    String text = send(request("GET", "/v1/tasks?id=%00", "Host: localhost", ""));
    assertThat(text).startsWith("HTTP/1.1 400").contains("The store cannot hold");
    String away = send(request("GET", "/v1/tasks?id=away", "Host: localhost", ""));
    assertThat(away).startsWith("HTTP/1.1 503").contains("Retry-After: 1", "as the test says");
  }

  private void start(String keys) throws Exception {
    start(keys, Optional.empty());
  }

  private void start(String keys, Optional<TlsContext> tls) throws Exception {
    BrokerConfig config =
        config("admin: {addr: \"127.0.0.1:0\"" + (keys.isEmpty() ? "" : ", " + keys) + "}");
    server =
        new AdminServer(
            config,
            tls,
            new AdminServer.FilesOf(
                config.admin().auditFile().orElse(dir.resolve("audit")), dir.resolve("pauses")),
            Pauses.NONE,
            new AdminServer.Parts(
                engine,
                new NoRows(),
                operatorRules(dir, engine),
                schedules(engine),
                new FakeBroker()),
            (_, failure) -> failure.printStackTrace());
    server.start();
  }

  /// Schedules that nobody keeps.
  static Schedules schedules(CommandSink engine) {
    return new Schedules(
        _ -> {},
        engine,
        new EnqueuedTemplates(),
        false,
        new Metrics(),
        (_, _) -> {},
        SystemContext.system());
  }

  private BrokerConfig config(String yaml) throws IOException {
    Path file = Files.writeString(dir.resolve("config.yaml"), yaml);
    return ConfigLoader.load(Optional.of(file), Map.of(), _ -> {});
  }

  private Path tokens(String nameAndRole) throws Exception {
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(TOKEN.getBytes(UTF_8));
    return Files.writeString(
        dir.resolve("tokens"),
        "# people\n" + nameAndRole + " " + HexFormat.of().formatHex(hash) + "\n");
  }

  private String audit() throws IOException {
    Path file = dir.resolve("audit");
    return Files.exists(file) ? Files.readString(file) : "";
  }

  private String get(String header) throws IOException {
    return send(request("GET", "/v1/pauses", header, ""));
  }

  private String pause(String header) throws IOException {
    return send(request("POST", "/v1/pause", header, ACT));
  }

  private static String request(String method, String path, String header, String body) {
    return method
        + " "
        + path
        + " HTTP/1.1\r\n"
        + (header.startsWith("Host:") ? "" : "Host: localhost\r\n")
        + header
        + "\r\n"
        + (body.isEmpty()
            ? ""
            : "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n")
        + "\r\n"
        + body;
  }

  private String send(String request) throws IOException {
    try (var socket = new Socket(address(), server.port())) {
      return exchange(socket, request);
    }
  }

  /// The whole answer: the server closes each connection behind it.
  private static String exchange(Socket socket, String request) throws IOException {
    socket.setSoTimeout(60_000);
    try {
      socket.getOutputStream().write(request.getBytes(US_ASCII));
      socket.getOutputStream().flush();
    } catch (java.net.SocketException _) {
      // A request that is too large is answered before it is there.
    }
    var answer = new StringBuilder();
    byte[] part = new byte[8_192];
    try {
      for (int n = read(socket, part); n > 0; n = read(socket, part)) {
        answer.append(new String(part, 0, n, UTF_8));
      }
    } catch (java.net.SocketException e) {
      if (answer.isEmpty()) {
        throw e;
      }
    }
    return answer.toString();
  }

  private static int read(Socket socket, byte[] part) throws IOException {
    return socket.getInputStream().read(part);
  }

  private static InetAddress address() {
    return InetAddress.getLoopbackAddress();
  }

  private SSLContext tls(Path ca, @Nullable Issued client) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("ca", certificate(ca));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    KeyStore own = KeyStore.getInstance("PKCS12");
    own.load(null, null);
    if (client != null) {
      String pem =
          Files.readString(client.key()).replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
      own.setKeyEntry(
          "own",
          KeyFactory.getInstance("EC")
              .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem))),
          new char[0],
          new Certificate[] {certificate(client.certificate())});
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(own, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  private static Certificate certificate(Path file) throws Exception {
    try (InputStream in = Files.newInputStream(file)) {
      return CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  /// Engine that has no tasks.
  static final class FakeEngine implements CommandSink {
    private final List<Command> commands;

    /// Whether the thread of an act is interrupted when the act is done.
    volatile boolean interrupts;

    /// @param commands receives each command
    FakeEngine(List<Command> commands) {
      this.commands = commands;
    }

    @Override
    public void request(Command.Request request) {
      throw new AssertionError(request);
    }

    @Override
    public synchronized void submit(Command command) {
      commands.add(command);
      switch (command) {
        case Command.ReadStats(var reply) ->
            reply.accept(new EngineStats(0, 0, 0, 0, 0, 0, Map.of(), 0, 0, 0, 0, List.of()));
        case Command.Operate(OperatorRequest.Applications(_, var reply)) -> reply.accept(List.of());
        case Command.Operate(OperatorRequest.ChangePauses(_, Runnable done)) -> {
          done.run();
          if (interrupts) {
            Thread.currentThread().interrupt();
          }
        }
        default -> throw new AssertionError(command);
      }
    }
  }

  /// Store without rows, which cannot hold U+0000 and is away when `away` is asked for.
  static final class NoRows implements RowBrowser {
    @Override
    public Page browse(Query query) {
      String id = query.id().orElse("");
      if (id.equals("\0") || id.equals("away")) {
        boolean away = id.equals("away");
        throw new StoreException(away ? Kind.TRANSIENT : Kind.DATA, "as the test says", null);
      }
      return new Page(List.of(), Optional.empty());
    }

    @Override
    public Optional<byte[]> payload(Position position) {
      return Optional.empty();
    }

    @Override
    public FinishedPage finished(FinishedQuery query) {
      return new FinishedPage(List.of(), Optional.empty());
    }

    @Override
    public RowGroups groups(Duration within) {
      return new RowGroups(List.of(), 0, true);
    }

    @Override
    public void close() {}
  }

  /// Rules of the API in a folder.
  static OperatorRules operatorRules(Path dir, CommandSink engine) {
    return new OperatorRules(
        new RuleHistoryFile(dir.resolve("rules")),
        false,
        new RuleContext("long", "dead:9092", true, List.of()),
        new RulesInForce(engine),
        (_, failure) -> failure.printStackTrace());
  }

  static final class FakeBroker implements BrokerStatus {
    @Override
    public String name() {
      return "broker";
    }

    @Override
    public Instant startedAt() {
      return Instant.EPOCH;
    }

    @Override
    public boolean ready() {
      return true;
    }

    @Override
    public List<String> troubles() {
      return List.of();
    }

    @Override
    public Map<Map.Entry<String, String>, Long> lags() {
      return Map.of();
    }

    @Override
    public Optional<RuleStatus> rules() {
      return Optional.empty();
    }

    @Override
    public Distribution waiting() {
      return Distribution.NONE;
    }

    @Override
    public Distribution running() {
      return Distribution.NONE;
    }

    @Override
    public List<PullWorker> pullWorkers() {
      return List.of();
    }

    @Override
    public CompletableFuture<List<PushAddress>> pushAddresses() {
      return CompletableFuture.completedFuture(List.of());
    }
  }
}
