package io.taskbroker.rules;

import io.taskbroker.config.ConfigException;
import io.taskbroker.config.RuntimeConfig;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Stage that applies the rules file: when its content changes, the engine receives the new rules.
/// A missing or invalid file changes nothing, not even at a start: the rules of the last valid file
/// stay in force, and one log line per problem says so (G5, H22).
///
/// [#load] is called before [#start]; otherwise everything happens in the stage's own thread.
public final class RuntimeFile implements Service {
  private static final Logger log = LoggerFactory.getLogger(RuntimeFile.class);
  private static final int MAX_BYTES = 1 << 20;

  /// Longest time between two reads of the file, as in the reference.
  private static final Duration PERIOD = Duration.ofSeconds(60);

  /// Time for tasks to meet new rules before their first report.
  private static final Duration FIRST_REPORT = Duration.ofSeconds(5);

  private static final Duration STOP_TIME = Duration.ofSeconds(1);

  private final Path file;
  private final LastGoodRules lastGood;
  private final RuleContext context;
  private final Consumer<Rules> changed;
  private final LoopThread thread;
  private final Set<String> warned = new HashSet<>();

  private @Nullable FileWatch watch;
  private Rules rules = Rules.NONE;
  private volatile @Nullable RuleSet inForce;
  private Optional<RuleReport> report = Optional.empty();

  /// Time of the next report, on the clock of [System#nanoTime].
  private long reportAt = System.nanoTime();

  /// Content of the rules in force, and of the file when it was last read.
  private byte @Nullable [] applied;

  private byte @Nullable [] seen;

  /// Problem of the file; empty if there is none.
  private volatile String problem = "";

  /// @param copy where the last valid content is kept for the next start
  /// @param changed receives other rules, after the initial ones
  public RuntimeFile(
      Path file, Path copy, RuleContext context, Consumer<Rules> changed, FailureSink failures) {
    this.file = file;
    this.lastGood = new LastGoodRules(copy);
    this.context = context;
    this.changed = changed;
    this.thread = new LoopThread("rules", new Turns(), failures);
  }

  @Override
  public String name() {
    return "rules";
  }

  /// The rules in force. Thread-safe.
  public RuleStatus status() {
    RuleSet now = inForce;
    return new RuleStatus(file, now == null ? List.of() : now.status(), problem);
  }

  /// The initial rules: those of the file, or of the last valid one.
  public Rules load() {
    Optional<String> newProblem = read();
    if (newProblem.isPresent()) {
      applyLastGood();
      logProblem(newProblem.get());
    }
    return rules;
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    if (!thread.stop(STOP_TIME)) {
      throw new IllegalStateException("The thread that reads " + file + " did not stop");
    }
  }

  /// Reads the file, and applies it if it changed and is valid.
  ///
  /// @return the problem of the file
  private Optional<String> read() {
    byte[] content;
    try (InputStream in = Files.newInputStream(file)) {
      content = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException _) {
      seen = null;
      return Optional.of("there is no such file");
    } catch (IOException e) {
      seen = null;
      return Optional.of("it cannot be read: " + e);
    }
    if (Arrays.equals(content, seen)) {
      return problem.isEmpty() ? Optional.empty() : Optional.of(problem);
    }
    seen = content;
    try {
      apply(content, file);
    } catch (ConfigException e) {
      return Optional.of(Objects.toString(e.getMessage()).replace("\n", "; "));
    } catch (RuntimeException e) {
      log.debug("{} cannot be parsed", file, e);
      return Optional.of("it cannot be parsed: " + e);
    }
    saveCopy(content);
    return Optional.empty();
  }

  private void apply(byte[] content, Path from) {
    RuntimeConfig config = RuntimeConfig.parse(from, content, log::warn);
    if (Arrays.equals(content, applied)) {
      return;
    }
    var set = new RuleSet(config, context);
    rules = set;
    inForce = set;
    report = Optional.of(new RuleReport(set));
    reportAt = System.nanoTime() + FIRST_REPORT.toNanos();
    applied = content;
    log.info("The rules of {} are in force: {}", from, set);
    if (set.wouldComeBack()) {
      log.warn(
          "{}: namespaces are demoted to a topic that this broker consumes, so their tasks stay",
          from);
    }
    config
        .demotedCluster()
        .filter(context::sendsSecretsTo)
        .filter(warned::add)
        .ifPresent(cluster ->
            log.warn(
                "{}: demoted_topic_cluster {} is not the cluster of the dead letters, and receives"
                    + " the secrets of that cluster",
                from,
                cluster));
  }

  private void saveCopy(byte[] content) {
    try {
      Optional<byte[]> kept = lastGood.read();
      if (kept.isEmpty() || !Arrays.equals(kept.get(), content)) {
        lastGood.write(content);
      }
    } catch (IOException e) {
      log.warn(
          "Cannot keep a copy of the rules in {}: if {} is broken when the broker starts again, it"
              + " starts with other rules: {}",
          lastGood.path(),
          file,
          e.toString());
    }
  }

  /// Applies the copy, if there is a valid one.
  private void applyLastGood() {
    try {
      Optional<byte[]> kept = lastGood.read();
      if (kept.isPresent()) {
        apply(kept.get(), lastGood.path());
      }
    } catch (IOException | RuntimeException e) {
      log.error("Cannot apply the last good rules in {}: {}", lastGood.path(), e.getMessage());
    }
  }

  private void logProblem(String newProblem) {
    if (!newProblem.equals(problem)) {
      problem = newProblem;
      log.error(
          "The rules file {} is not applied, {} stay in force: {}",
          file,
          rules.exist() ? "the last good ones (" + rules + ")" : "no rules",
          newProblem);
    }
  }

  private void refresh() {
    Rules before = rules;
    Optional<String> newProblem = read();
    if (newProblem.isPresent()) {
      logProblem(newProblem.get());
    } else if (!problem.isEmpty()) {
      problem = "";
      log.info("The rules file {} is valid again", file);
    }
    if (!rules.equals(before)) {
      changed.accept(rules);
    }
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  private static void logReport(RuleReport report) {
    report.matches().forEach(log::info);
    report.unseen().forEach(log::warn);
  }

  private final class Turns implements LoopThread.Loop {
    @Override
    public void turn() throws InterruptedException {
      FileWatch fileWatch = watch;
      if (fileWatch == null) {
        fileWatch = new FileWatch(file);
        watch = fileWatch;
      } else {
        fileWatch.await(min(PERIOD, Duration.ofNanos(Math.max(0, reportAt - System.nanoTime()))));
      }
      if (System.nanoTime() - reportAt >= 0) {
        reportAt = System.nanoTime() + PERIOD.toNanos();
        report.ifPresent(RuntimeFile::logReport);
      }
      fileWatch.locate();
      refresh();
    }

    @Override
    public void end() throws IOException {
      if (watch != null) {
        watch.close();
      }
    }
  }
}
