package io.taskbroker.rules;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.config.ConfigException;
import io.taskbroker.config.RuntimeConfig;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Outage;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.RuleHistory;
import io.taskbroker.store.RuleHistory.Version;
import io.taskbroker.store.StoreException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Stage of the rules that operators set by the API (ADR 43): keeps their versions, applies the
/// newest, and follows the other brokers of a shared store, whose changes it notices within
/// [#PERIOD]. A version that cannot be applied changes nothing (H22). Thread-safe: one lock, held
/// while the store is asked.
public final class OperatorRules implements Service {
  private static final Logger log = LoggerFactory.getLogger(OperatorRules.class);
  private static final Path SOURCE = Path.of("rules of the API");
  private static final Duration PERIOD = Duration.ofSeconds(5);
  private static final Duration REPORT_PERIOD = Duration.ofSeconds(60);
  private static final Duration STOP_TIME = Duration.ofSeconds(1);

  private final RuleHistory history;
  private final boolean shared;
  private final RuleContext context;
  private final RulesInForce inForce;
  private final InstantSource clock = InstantSource.system();
  private final Outage outage = new Outage(Ticker.SYSTEM);
  private final LoopThread thread;

  private volatile @Nullable Applied applied;
  private volatile String problem = "";
  private @Nullable Version refused;

  /// Released when other rules are in force.
  private final Semaphore changed = new Semaphore(0);

  /// Next report, on the clock of [System#nanoTime].
  private volatile long reportAt = System.nanoTime() + PERIOD.toNanos();

  private record Applied(Version version, RuleSet rules, RuleReport report) {}

  /// @param shared whether other brokers add versions, too
  public OperatorRules(
      RuleHistory history,
      boolean shared,
      RuleContext context,
      RulesInForce inForce,
      FailureSink failures) {
    this.history = history;
    this.shared = shared;
    this.context = context;
    this.inForce = inForce;
    this.thread = new LoopThread("api-rules", this::turn, failures);
  }

  @Override
  public String name() {
    return "rules of the API";
  }

  /// The initial rules.
  ///
  /// @throws StoreException if they cannot be read
  /// @throws ConfigException if this version of the broker cannot apply them: without them it would
  ///   run what an operator switched off
  public synchronized Rules load() {
    Optional<Version> newest = history.latest();
    if (newest.isEmpty()) {
      return Rules.NONE;
    }
    RuleSet rules = parse(newest.get().rules(), log::warn);
    keep(newest.get(), rules);
    return rules;
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    if (!thread.stop(STOP_TIME)) {
      log.warn("The thread of the rules did not stop in time");
    }
  }

  /// The version in force; empty if none was ever set. Does not wait.
  public Optional<Version> current() {
    Applied now = applied;
    return now == null ? Optional.empty() : Optional.of(now.version());
  }

  /// Its rules. Does not wait.
  public List<RuleStatus.Rule> rules() {
    Applied now = applied;
    return now == null ? List.of() : now.rules().status();
  }

  /// Why the newest version is not applied; empty if it is. Does not wait.
  public String problem() {
    return problem;
  }

  /// All kept versions, the newest first.
  ///
  /// @throws StoreException if they cannot be read
  public List<Version> versions() {
    return history.versions();
  }

  /// Parses rules as [#set] does, without setting them.
  ///
  /// @param warnings receives oddities that do not prevent use
  /// @throws ConfigException if they are invalid
  public RuleSet parse(String text, Consumer<String> warnings) {
    RuntimeConfig config = RuntimeConfig.parse(SOURCE, text.getBytes(UTF_8), warnings);
    // Whoever may set rules is not thereby allowed to send tasks and credentials elsewhere.
    config
        .demotedCluster()
        .ifPresent(cluster -> {
          throw ConfigException.of(
              "demoted_topic_cluster", cluster, "only the rules file may name another cluster");
        });
    return new RuleSet(config, context);
  }

  /// Sets other rules. They are durable, and the engine has been told, when this returns.
  ///
  /// @param replaced number of the version that they replace; 0 for none
  /// @return empty if another version is in force: nothing changed
  /// @throws ConfigException if they are invalid
  /// @throws StoreException if they cannot be stored
  public synchronized Optional<Version> set(long replaced, String who, String why, String text) {
    RuleSet rules = parse(text, log::warn);
    // In milliseconds, as it is stored: versions are compared.
    Instant at = Instant.ofEpochMilli(clock.millis());
    var next = new Version(replaced + 1, at, who, why, text);
    if (!history.append(next)) {
      follow();
      return Optional.empty();
    }
    apply(next, rules);
    return Optional.of(next);
  }

  private void turn() throws InterruptedException {
    if (!shared && applied == null) {
      changed.acquire(); // nothing to follow, nothing to report
    } else {
      long wait = shared ? PERIOD.toNanos() : reportAt - System.nanoTime();
      boolean _ = changed.tryAcquire(wait, TimeUnit.NANOSECONDS);
    }
    if (shared) {
      follow();
    }
    Applied now = applied;
    if (now != null && System.nanoTime() - reportAt >= 0) {
      reportAt = System.nanoTime() + REPORT_PERIOD.toNanos();
      now.report().matches().forEach(log::info);
      now.report().unseen().forEach(log::warn);
    }
  }

  /// Applies the newest version of the history, if it is another one.
  private synchronized void follow() {
    try {
      Optional<Version> newest = history.latest();
      if (newest.isPresent() && !newest.equals(current()) && !newest.get().equals(refused)) {
        adopt(newest.get());
      }
      outage.over();
    } catch (StoreException e) {
      if (outage.failed()) {
        log.warn("Cannot look for other rules, so these stay in force: {}", e.getMessage());
      }
    }
  }

  private void adopt(Version version) {
    try {
      apply(version, parse(version.rules(), log::warn));
    } catch (ConfigException e) {
      refused = version;
      problem = "version " + version.number() + " is not applied: " + e.getMessage();
      log.error("The rules of the API: {}; those before stay in force", problem);
    }
  }

  private void apply(Version version, RuleSet rules) {
    keep(version, rules);
    inForce.changeApi(rules);
  }

  private void keep(Version version, RuleSet rules) {
    applied = new Applied(version, rules, new RuleReport(rules));
    reportAt = System.nanoTime() + PERIOD.toNanos();
    changed.release();
    problem = "";
    log.info(
        "Version {} of the rules of the API is in force, set by {}: {}",
        version.number(),
        version.who(),
        rules);
    if (rules.wouldComeBack()) {
      log.warn("Namespaces are demoted to a topic that this broker consumes, so their tasks stay");
    }
  }
}
