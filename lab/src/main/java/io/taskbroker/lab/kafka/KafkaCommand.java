package io.taskbroker.lab.kafka;

import io.taskbroker.cli.CommandException;
import io.taskbroker.lab.rig.LibraryLog;
import io.taskbroker.lab.rig.StopHook;
import io.taskbroker.testkit.EmbeddedKafka;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Runs a single Kafka node on the loopback address until it is interrupted. The data stays in its
/// folder: the next run on the same folder and port continues with it.
@Command(
    name = "kafka",
    mixinStandardHelpOptions = true,
    description = {
      "Runs a single Kafka node on this machine, for experiments.",
      "It listens on 127.0.0.1 only and runs until it is interrupted."
    })
public final class KafkaCommand implements Callable<Integer> {
  private static final int MAX_PORT = 65_535;

  @Spec private CommandSpec spec;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "9092",
      description = "Port for clients (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      defaultValue = "taskbroker-kafka",
      description = "Folder for data and log (default: ./${DEFAULT-VALUE}).")
  private Path dir;

  @Option(
      names = "--topic",
      paramLabel = "NAME[:PARTITIONS]",
      description = "Topic to create unless it exists, with 1 partition by default; repeatable.")
  private List<String> topics = List.of();

  @Override
  public Integer call() throws InterruptedException {
    require(port >= 1 && port <= MAX_PORT, "--port must be 1 to " + MAX_PORT);
    List<TopicOption> wanted = topics.stream().map(this::parse).toList();
    Path folder = folder();
    LibraryLog.to(folder.resolve("kafka.log"));
    PrintWriter out = spec.commandLine().getOut();
    try (var stop = StopHook.install(out);
        var kafka = start(folder)) {
      wanted.forEach(topic -> kafka.createTopicIfMissing(topic.name(), topic.partitions()));
      out.println("Kafka is ready at " + kafka.bootstrap() + ", its data is in " + folder);
      for (TopicOption topic : wanted) {
        out.println("topic " + topic.name());
      }
      out.println("Interrupt (Ctrl-C) to stop it.");
      out.flush();
      stop.asked().await();
    }
    return 0;
  }

  private EmbeddedKafka start(Path folder) {
    try {
      return EmbeddedKafka.startOnPort(folder.resolve("data"), port);
    } catch (RuntimeException e) {
      throw new CommandException(
          "Kafka did not start on port %d: %s; see %s"
              .formatted(port, e.getMessage(), folder.resolve("kafka.log")),
          e);
    }
  }

  private Path folder() {
    try {
      return Files.createDirectories(dir.toAbsolutePath().normalize());
    } catch (IOException e) {
      throw new CommandException("folder " + dir + " cannot be created: " + e, e);
    }
  }

  private TopicOption parse(String option) {
    try {
      return TopicOption.parse(option);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--topic " + option + ": " + e.getMessage());
    }
  }

  private void require(boolean condition, String message) {
    if (!condition) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }
}
