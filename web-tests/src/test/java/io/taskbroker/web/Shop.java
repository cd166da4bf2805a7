package io.taskbroker.web;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.ResultStatus;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Folders;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.StreamWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;

/// A broker of a shop with real tasks in every condition, a real Kafka, and workers; the tests of
/// the page share it.
///
/// | application | condition |
/// |---|---|
/// | `mail` | works |
/// | `billing` | fails, so that its tasks are dead-lettered |
/// | `import` | stuck: its workers do not listen |
/// | `reports` | has no workers |
/// | `newsletter` | delayed by an hour |
/// | `video` | a worker with a stream has its tasks |
final class Shop implements AutoCloseable {
  static final String TOKEN = "a-token-of-the-tests-0123456789";
  static final int DEAD_LETTERS = 12;
  static final int STUCK = 7;
  private static final String TASKS = "shop-tasks";
  private static final String DEAD = "shop-dead-letters";
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int HOUR = 3_600;

  private final Path dir;
  private final EmbeddedKafka kafka;
  private final PushWorker worker;
  private final BrokerProcess broker;
  private final TaskProducer producer;
  private final StreamWorker stream;
  private final int adminPort;
  private final HttpClient http = HttpClient.newHttpClient();
  private int number;

  private Shop(Path dir) throws IOException, InterruptedException {
    this.dir = dir;
    kafka = EmbeddedKafka.start(dir.resolve("kafka"));
    kafka.createTopic(TASKS, 2);
    kafka.createTopic(DEAD, 1);
    int port = Ports.free();
    adminPort = Ports.free();
    worker =
        PushWorker.start(
            WorkerOptions.of("127.0.0.1:" + port), Shop::behaviour, new ExecutionLog(1_000));
    Path rules = dir.resolve("rules.yaml");
    Files.writeString(rules, "drop_task_killswitch: [\"shop:old_task\"]\ndemoted_namespaces: []\n");
    broker =
        launch(
            dir.resolve("config.yaml"),
            port,
            """
            delivery_mode: push
            worker_map: {mail: "%s", billing: "%s", newsletter: "%s", import: "http://127.0.0.1:%d"}
            kafka_clusters: {main: {address: "%s"}}
            kafka_topics:
              %s: {cluster: main, consumer_group: shop}
              %s: {cluster: main, consumer_group: shop, produce_only: true}
            kafka_deadletter_topic: %s
            kafka_auto_offset_reset: earliest
            runtime_config_path: "%s"
            store: {sqlite: {path: "%s"}, finished: {retention_sec: 3600}}
            admin: {addr: "127.0.0.1:%d", requests_per_second: 1000}
            """
                .formatted(
                    worker.url(),
                    worker.url(),
                    worker.url(),
                    Ports.free(),
                    kafka.bootstrap(),
                    TASKS,
                    DEAD,
                    DEAD,
                    rules,
                    dir.resolve("shop.sqlite"),
                    adminPort));
    producer = new TaskProducer(kafka.bootstrap(), TASKS, new ExecutionLog(1_000));
    stream =
        StreamWorker.start(
            port,
            Hello.newBuilder()
                .setWorker("pod-7")
                .setVersion("shop/1.2")
                .setApplication("video")
                .setSlots(8)
                .build(),
            Duration.ofDays(1),
            new Nobody());
  }

  /// Observer of the worker with a stream, which keeps its tasks.
  private static final class Nobody implements StreamWorker.Listener {
    @Override
    public void started(Delivery delivery) {}

    @Override
    public void answered(Delivery delivery, ResultStatus status) {}
  }

  private static BrokerProcess launch(Path config, int port, String yaml)
      throws IOException, InterruptedException {
    Files.writeString(config, "grpc_addr: 127.0.0.1\ngrpc_port: " + port + "\n" + yaml);
    return BrokerProcess.start(
            BrokerLaunch.ofThisClassPath(
                    config, port, Path.of("target", config.getFileName() + ".log"))
                .withJvmOptions("-XX:TieredStopAtLevel=1"))
        .awaitServing(PATIENCE);
  }

  /// Starts everything, and returns when every condition of the table is reached.
  static Shop open() throws IOException, InterruptedException {
    Files.createDirectories(Path.of("target"));
    var shop = new Shop(Files.createTempDirectory("shop"));
    for (int i = 0; i < 30; i++) {
      shop.publish(shop.task("mail", "mail", "send_receipt"));
    }
    for (int i = 0; i < DEAD_LETTERS; i++) {
      shop.publish(shop.dead("billing", "money", i % 3 == 0 ? "refund" : "charge_card"));
    }
    for (int i = 0; i < STUCK; i++) {
      shop.publish(shop.task("import", "catalogue", "import_prices"));
    }
    for (int i = 0; i < 3; i++) {
      shop.publish(shop.task("reports", "office", "monthly_report"));
    }
    for (int i = 0; i < 20; i++) {
      shop.publish(shop.task("newsletter", "mail", "send_letter").setDelay(HOUR));
    }
    for (int i = 0; i < 2; i++) {
      shop.publish(shop.task("video", "clips", "encode"));
    }
    shop.producer.flush();
    shop.schedule("nightly");
    await()
        .atMost(PATIENCE)
        .until(() ->
            shop.get("/v1/dead-letters/groups").contains("charge_card")
                && shop.count("/v1/dead-letters?limit=500", "\"position\"") == DEAD_LETTERS);
    await()
        .atMost(PATIENCE)
        .until(() -> shop.get("/v1/tasks?application=import").contains("WORKER_PAUSED"));
    await().atMost(PATIENCE).until(() -> shop.get("/v1/workers").contains("\"in_use\":2"));
    return shop;
  }

  private static Behaviour.Run behaviour(TaskActivation task, int start) {
    boolean fails =
        task.getApplication().equals("billing")
            && !task.getHeadersOrDefault("repaired", "").equals("yes");
    return fails ? Behaviour.Run.failing(5) : Behaviour.Run.completing(5);
  }

  /// A task of an application, to be changed and published.
  TaskActivation.Builder task(String application, String namespace, String taskname) {
    return template(application, namespace, taskname)
        .task(number++)
        .setParametersBytes(arguments());
  }

  private TaskActivation.Builder dead(String application, String namespace, String taskname) {
    return template(application, namespace, taskname)
        .deadLettered(number++, 1)
        .setParametersBytes(arguments());
  }

  private TaskTemplate template(String application, String namespace, String taskname) {
    return new TaskTemplate(application, namespace, taskname, 20, number * 31L + 7);
  }

  private static ByteString arguments() {
    try (MessageBufferPacker out = MessagePack.newDefaultBufferPacker()) {
      out.packMapHeader(2);
      out.packString("args");
      out.packArrayHeader(1);
      out.packInt(4711);
      out.packString("kwargs");
      out.packMapHeader(3);
      out.packString("customer");
      out.packString("ann");
      out.packString("amount");
      out.packDouble(12.5);
      out.packString("api_key");
      out.packString("very-secret");
      return ByteString.copyFrom(out.toByteArray());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  void publish(TaskActivation.Builder task) {
    producer.send(task.build().toByteArray());
  }

  /// Publishes a task that an hour delays, and returns its id when it is in flight.
  String delayedTask(String application) {
    TaskActivation task = task(application, "mail", "send_letter").setDelay(HOUR).build();
    producer.send(task.toByteArray());
    producer.flush();
    await().atMost(PATIENCE).until(() -> status("/v1/tasks/" + task.getId()) == 200);
    return task.getId();
  }

  /// The id of the first task of an answer of the API.
  String example(String path) {
    try {
      String answer = get(path);
      return answer.replaceAll("(?s).*?\"id\":\"([^\"]+)\".*", "$1");
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The position of a dead letter of a task that is neither replayed nor discarded.
  String openLetter(String taskname) throws IOException, InterruptedException {
    String answer = get("/v1/dead-letters?limit=500&taskname=" + taskname);
    return Stream.of(answer.split("\\{\"position\":\"", -1))
        .filter(letter -> letter.contains("\"state\":\"open\""))
        .map(letter -> letter.substring(0, letter.indexOf('"')))
        .findFirst()
        .orElseThrow();
  }

  String url() {
    return "http://127.0.0.1:" + adminPort;
  }

  /// Creates a schedule of a task at night.
  void schedule(String name) throws IOException, InterruptedException {
    schedule(name, "30 2 * * *");
  }

  void schedule(String name, String cron) throws IOException, InterruptedException {
    String body =
        """
        {"cron": "%s", "time_zone": "Europe/Vienna", "reason": "for the tests",
         "task": {"taskname": "monthly_report", "namespace": "office", "application": "nights",
                  "arguments": {"args": [], "kwargs": {"customer": "ann"}}}}
        """
            .formatted(cron);
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(URI.create(url() + "/v1/schedules/" + name))
                .header("Content-Type", "application/json")
                .PUT(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IllegalStateException(answer.body());
    }
  }

  int status(String path) throws IOException, InterruptedException {
    return send(path).statusCode();
  }

  String get(String path) throws IOException, InterruptedException {
    return send(path).body();
  }

  int count(String path, String text) throws IOException, InterruptedException {
    return get(path).split(text, -1).length - 1;
  }

  private HttpResponse<String> send(String path) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create(url() + path)).timeout(PATIENCE).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /// A second broker, without Kafka, whose API wants a token. Its role can be chosen.
  static Guarded guarded(String role, String more) throws Exception {
    Path dir = Files.createTempDirectory("guarded");
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(TOKEN.getBytes(UTF_8));
    Path tokens = dir.resolve("tokens");
    Files.writeString(tokens, "ann " + role + " " + HexFormat.of().formatHex(hash) + "\n");
    int adminPort = Ports.free();
    BrokerProcess process =
        launch(
            dir.resolve("guarded.yaml"),
            Ports.free(),
            """
            delivery_mode: pull
            kafka_enabled: false
            store: {sqlite: {path: "%s"}}
            admin: {addr: "127.0.0.1:%d", tokens: "%s", requests_per_second: 1000%s}
            """
                .formatted(dir.resolve("tasks.sqlite"), adminPort, tokens, more));
    return new Guarded(process, "http://127.0.0.1:" + adminPort, dir);
  }

  /// A broker that wants a token.
  record Guarded(BrokerProcess process, String url, Path dir) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      process.close();
      Folders.delete(dir);
    }
  }

  @Override
  public void close() throws IOException {
    producer.close();
    stream.close();
    broker.close();
    worker.close();
    kafka.close();
    Folders.delete(dir);
  }
}
