package io.taskbroker.outbox;

import io.taskbroker.outbox.TargetCheck.Finding;
import io.taskbroker.outbox.TargetCheck.State;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Stage that checks, at the start and once a minute, whether the topics for retries and dead
/// letters exist and accept the broker's messages. It logs a problem when it changes, and a missing
/// topic once a minute. Nothing waits for it, and it never makes the broker unready.
public final class TargetTopics implements Service {
  private static final Logger log = LoggerFactory.getLogger(TargetTopics.class);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration USUAL_INTERVAL = Duration.ofMinutes(1);

  /// Interval while a topic is missing, or Kafka does not answer.
  private static final Duration SHORT_INTERVAL = Duration.ofSeconds(10);

  private static final Duration REPEAT_AFTER = Duration.ofMinutes(1);

  private final List<TargetCheck> clusters;
  private final Metrics metrics;
  private final Consumer<List<String>> problems;
  private final Duration shortInterval;
  private final LoopThread thread;

  // The thread's own.
  private final Map<TargetTopic, Finding> known = new HashMap<>();
  private final Map<TargetTopic, Long> loggedAt = new HashMap<>();

  /// @param topics with distinct names
  /// @param consumed the topics that the broker consumes, with the settings of Kafka's clients
  /// @param maxMessageSize largest payload in bytes
  /// @param problems receives the problems after each check, one line for each topic
  public TargetTopics(
      List<TargetTopic> topics,
      Map<String, Map<String, String>> consumed,
      int maxMessageSize,
      Metrics metrics,
      Consumer<List<String>> problems,
      FailureSink failures) {
    this(topics, consumed, maxMessageSize, metrics, problems, failures, SHORT_INTERVAL);
  }

  TargetTopics(
      List<TargetTopic> topics,
      Map<String, Map<String, String>> consumed,
      int maxMessageSize,
      Metrics metrics,
      Consumer<List<String>> problems,
      FailureSink failures,
      Duration shortInterval) {
    this.clusters =
        topics.stream().collect(Collectors.groupingBy(TargetTopic::client)).entrySet().stream()
            .map(cluster ->
                new TargetCheck(cluster.getValue(), of(cluster.getKey(), consumed), maxMessageSize))
            .toList();
    this.metrics = metrics;
    this.problems = problems;
    this.shortInterval = shortInterval;
    this.thread = new LoopThread("target-topics", this::turn, failures);
  }

  private static List<String> of(
      Map<String, String> client, Map<String, Map<String, String>> consumed) {
    return consumed.entrySet().stream()
        .filter(topic -> topic.getValue().equals(client))
        .map(Map.Entry::getKey)
        .toList();
  }

  @Override
  public String name() {
    return "target topics";
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    if (!thread.stop(STOP_TIMEOUT)) {
      log.warn("The check of the target topics is still waiting for Kafka");
    }
  }

  private void turn() throws InterruptedException {
    for (TargetCheck cluster : clusters) {
      cluster.check().forEach(this::found);
    }
    problems.accept(
        known.values().stream()
            .map(Finding::problem)
            .filter(line -> !line.isEmpty())
            .sorted(Comparator.naturalOrder())
            .toList());
    boolean settled = known.values().stream().noneMatch(TargetTopics::isLookedAtSoon);
    Duration pause = settled ? USUAL_INTERVAL : shortInterval;
    TimeUnit.MILLISECONDS.sleep(pause.toMillis());
  }

  /// Whether the topic is missing, or Kafka did not say.
  private static boolean isLookedAtSoon(Finding finding) {
    return finding.states().contains(State.MISSING)
        || (finding.states().contains(State.UNKNOWN) && !finding.problem().isEmpty());
  }

  private void found(TargetTopic topic, Finding finding) {
    Finding before = known.put(topic, finding);
    for (State state : State.values()) {
      boolean holds = finding.states().contains(state);
      if (holds || (before != null && before.states().contains(state))) {
        metrics.targetTopics.of(topic.name(), state.label()).set(holds ? 1 : 0);
      }
    }
    if (!finding.equals(before)) {
      logFinding(topic, finding, before);
    } else if (finding.states().contains(State.MISSING) && isLong(topic)) {
      logFinding(topic, finding, null);
    }
  }

  private boolean isLong(TargetTopic topic) {
    Long at = loggedAt.get(topic);
    return at == null || System.nanoTime() - at >= REPEAT_AFTER.toNanos();
  }

  private void logFinding(TargetTopic topic, Finding finding, @Nullable Finding before) {
    loggedAt.put(topic, System.nanoTime());
    if (finding.states().contains(State.MISSING)) {
      if (topic.created() && before == null) {
        log.info("{}; this broker creates it", finding.problem());
      } else {
        log.error(finding.problem());
      }
    } else if (finding.states().contains(State.UNKNOWN)) {
      log.info("{}", finding.problem().isEmpty() ? quietly(topic) : finding.problem());
    } else if (!finding.problem().isEmpty()) {
      log.warn(finding.problem());
    } else if (finding.states().contains(State.CREATED_ON_USE)) {
      log.info("Topic {} does not exist yet: Kafka creates it when it is first used", topic.name());
    } else if (before != null) {
      log.info("Topic {} exists and accepts {}", topic.name(), topic.contents());
    }
  }

  private static String quietly(TargetTopic topic) {
    return "Topic "
        + topic.name()
        + " exists; its settings are unknown: reading them needs DESCRIBE_CONFIGS";
  }
}
