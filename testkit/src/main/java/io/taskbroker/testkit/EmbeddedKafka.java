package io.taskbroker.testkit;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/// A real single-node Kafka in this process, reachable on the loopback address only. A node
/// restarted on the port and directory of a stopped one is the same node to its clients.
///
/// Thread-safe. Kafka's server classes are no public API: no other class refers to them.
public final class EmbeddedKafka implements AutoCloseable {
  private static final int ADMIN_TIMEOUT_SECONDS = 60;
  private static final int SCRAM_ITERATIONS = 4096;

  private final KafkaRaftServer server;
  private final int port;
  private final int securedPort;
  private boolean stopped;

  private EmbeddedKafka(KafkaRaftServer server, int port, int securedPort) {
    this.server = server;
    this.port = port;
    this.securedPort = securedPort;
  }

  /// Starts a node on a free port with its data in `dir`, which may hold data already.
  public static EmbeddedKafka start(Path dir) {
    return startOnPort(dir, Ports.free());
  }

  /// Starts a node on the given port with its data in `dir`, which may hold data already.
  public static EmbeddedKafka startOnPort(Path dir, int port) {
    return start(dir, config(dir, port, Ports.free()), port, port);
  }

  /// Starts a node on a free port that auto-creates topics.
  public static EmbeddedKafka startCreatingTopics(Path dir) {
    int port = Ports.free();
    Properties config = config(dir, port, Ports.free());
    config.put("auto.create.topics.enable", "true");
    return start(dir, config, port, port);
  }

  /// Starts a node on free ports with a second listener that requires authentication; the first one
  /// stays open, for the test itself.
  public static EmbeddedKafka start(Path dir, SecuredListener secured) {
    int port = Ports.free();
    int securedPort = Ports.free();
    Properties config = config(dir, port, Ports.free());
    config.putAll(secured.serverSettings());
    String listener = SecuredListener.NAME + "://" + Ports.HOST + ":" + securedPort;
    config.merge("listeners", listener, EmbeddedKafka::list);
    config.merge("advertised.listeners", listener, EmbeddedKafka::list);
    config.merge(
        "listener.security.protocol.map",
        SecuredListener.NAME + ":" + secured.protocol(),
        EmbeddedKafka::list);
    EmbeddedKafka kafka = start(dir, config, port, securedPort);
    try {
      secured.users().forEach(kafka::addScramUser);
    } catch (IllegalStateException e) {
      kafka.stop();
      throw e;
    }
    return kafka;
  }

  private static String list(Object first, Object second) {
    return first + "," + second;
  }

  private static EmbeddedKafka start(Path dir, Properties config, int port, int securedPort) {
    formatOnce(dir);
    var server = new KafkaRaftServer(new KafkaConfig(config), Time.SYSTEM);
    try {
      server.startup();
    } catch (RuntimeException e) {
      server.shutdown();
      throw e;
    }
    return new EmbeddedKafka(server, port, securedPort);
  }

  /// Value of `bootstrap.servers` for clients of this node.
  public String bootstrap() {
    return Ports.HOST + ":" + port;
  }

  public int port() {
    return port;
  }

  /// The same for the second listener, if there is one.
  public String securedBootstrap() {
    return Ports.HOST + ":" + securedPort;
  }

  /// Adds a SCRAM user for the second listener, or changes the password.
  public void addScramUser(String user, String password) {
    try (var admin = admin()) {
      for (var mechanism : List.of(ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)) {
        var credential = new ScramCredentialInfo(mechanism, SCRAM_ITERATIONS);
        admin
            .alterUserScramCredentials(
                List.of(new UserScramCredentialUpsertion(user, credential, password)))
            .all()
            .get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      }
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("Could not add user " + user, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while adding user " + user, e);
    }
  }

  private Admin admin() {
    return Admin.create(
        Map.<String, Object>of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap()));
  }

  /// Creates a topic and returns once its partitions are writable; topics are never auto-created.
  /// Without that wait an idempotent producer may lose the first of several batches to a leader
  /// that is not ready, get the second accepted, and never restore the order.
  public void createTopic(String name, int partitions) {
    createTopic(new NewTopic(name, partitions, (short) 1));
  }

  /// The same, unless the topic exists, with any number of partitions.
  public void createTopicIfMissing(String name, int partitions) {
    try (var admin = admin()) {
      if (!topics(admin).contains(name)) {
        createTopic(admin, new NewTopic(name, partitions, (short) 1));
      }
    }
  }

  private static Set<String> topics(Admin admin) {
    try {
      return admin.listTopics().names().get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("Could not list the topics", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while listing the topics", e);
    }
  }

  /// The same for a topic with its own configuration.
  public void createTopic(NewTopic topic) {
    try (var admin = admin()) {
      createTopic(admin, topic);
    }
  }

  /// The same at the cluster of the given client.
  public static void createTopic(Admin admin, NewTopic topic) {
    String name = topic.name();
    try {
      admin.createTopics(List.of(topic)).all().get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      Map<TopicPartition, OffsetSpec> ends =
          IntStream.range(0, topic.numPartitions())
              .mapToObj(partition -> new TopicPartition(name, partition))
              .collect(Collectors.toMap(Function.identity(), _ -> OffsetSpec.latest()));
      awaitLeaders(admin, ends);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("Could not create topic " + name, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while creating topic " + name, e);
    }
  }

  /// Only leaders answer. Until then the client retries, except while the node does not know the
  /// topic yet.
  private static void awaitLeaders(Admin admin, Map<TopicPartition, OffsetSpec> ends)
      throws ExecutionException, InterruptedException, TimeoutException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(ADMIN_TIMEOUT_SECONDS);
    while (true) {
      try {
        admin.listOffsets(ends).all().get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        return;
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)
            || System.nanoTime() - deadline >= 0) {
          throw e;
        }
      }
    }
  }

  /// Stops the node and returns once its port and files are free; the data stays.
  public synchronized void stop() {
    if (!stopped) {
      stopped = true;
      server.shutdown();
      server.awaitShutdown();
    }
  }

  @Override
  public void close() {
    stop();
  }

  private static void formatOnce(Path dir) {
    if (Files.exists(dir.resolve("meta.properties"))) {
      return;
    }
    try {
      Files.createDirectories(dir);
      new Formatter()
          .setNodeId(1)
          .setClusterId(Uuid.randomUuid().toString())
          .addDirectory(dir.toString())
          .setMetadataLogDirectory(dir.toString())
          .setControllerListenerName("CONTROLLER")
          .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false))
          .run();
    } catch (Exception e) {
      throw new IllegalStateException("Could not format " + dir + " for Kafka", e);
    }
  }

  private static Properties config(Path dir, int port, int controllerPort) {
    var config = new Properties();
    config.putAll(
        Map.ofEntries(
            Map.entry("process.roles", "broker,controller"),
            Map.entry("node.id", "1"),
            Map.entry("controller.quorum.voters", "1@" + Ports.HOST + ":" + controllerPort),
            Map.entry(
                "listeners",
                "PLAINTEXT://%s:%d,CONTROLLER://%s:%d"
                    .formatted(Ports.HOST, port, Ports.HOST, controllerPort)),
            Map.entry("advertised.listeners", "PLAINTEXT://" + Ports.HOST + ":" + port),
            Map.entry("controller.listener.names", "CONTROLLER"),
            Map.entry("inter.broker.listener.name", "PLAINTEXT"),
            Map.entry("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
            Map.entry("log.dirs", dir.toString()),
            Map.entry("auto.create.topics.enable", "false"),
            Map.entry("group.initial.rebalance.delay.ms", "0")));
    config.putAll(oneReplica());
    config.putAll(smallFootprint());
    return config;
  }

  private static Map<String, String> oneReplica() {
    return Map.ofEntries(
        Map.entry("offsets.topic.replication.factor", "1"),
        Map.entry("offsets.topic.num.partitions", "1"),
        Map.entry("transaction.state.log.replication.factor", "1"),
        Map.entry("transaction.state.log.min.isr", "1"),
        Map.entry("transaction.state.log.num.partitions", "1"),
        Map.entry("share.coordinator.state.topic.replication.factor", "1"),
        Map.entry("share.coordinator.state.topic.min.isr", "1"),
        Map.entry("share.coordinator.state.topic.num.partitions", "1"));
  }

  private static Map<String, String> smallFootprint() {
    return Map.ofEntries(
        Map.entry("num.network.threads", "1"),
        Map.entry("num.io.threads", "2"),
        Map.entry("background.threads", "2"),
        Map.entry("log.cleaner.dedupe.buffer.size", "2097152"),
        Map.entry("log.cleaner.io.buffer.size", "65536"),
        Map.entry("log.index.size.max.bytes", "1048576"));
  }
}
