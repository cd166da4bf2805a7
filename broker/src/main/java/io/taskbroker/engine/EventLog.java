package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.TaskIdentity;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.TaskLifecycle;
import io.taskbroker.telemetry.LogFields;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/// Log of the engine's events. Events above debug level are limited to [#PER_SECOND] a second for
/// each kind. At level debug it also logs each step of every task. Confined to the engine's thread.
public final class EventLog {
  private static final Logger log = LoggerFactory.getLogger(EventLog.class);
  private static final int PER_SECOND = 10;
  private static final long SECOND_NANOS = 1_000_000_000;

  private final boolean follows = log.isDebugEnabled();
  private final Map<EngineEvent, Budget> budgets = new EnumMap<>(EngineEvent.class);
  private final Budget outcomes = new Budget();

  /// Whether task lifecycle steps are logged.
  public boolean follows() {
    return follows;
  }

  /// Logs one lifecycle step of a task.
  public void follow(TaskLifecycle step, Activation activation, String detail) {
    write(Level.DEBUG, name(step), text(step), activation, detail);
  }

  /// Logs an event of a task.
  public void event(EngineEvent event, Activation about, String detail) {
    if (isLogged(event)) {
      write(level(event), name(event), text(event), about, detail);
    }
  }

  /// Logs an event of an application, or about an id that is not in flight.
  public void event(EngineEvent event, String id, String detail) {
    if (isLogged(event)) {
      log.atLevel(level(event))
          .addKeyValue(LogFields.EVENT, name(event))
          .addKeyValue(field(event), id)
          .log("{}: {}{}", text(event), id, inParentheses(detail));
    }
  }

  /// Logs an outcome of a change that cannot be.
  public void unexpected(Change change, ChangeOutcome outcome) {
    if (outcomes.allows()) {
      log.atError()
          .addKeyValue(LogFields.EVENT, "unexpected_outcome")
          .addKeyValue(LogFields.TASK_ID, change.id())
          .addKeyValue(LogFields.KEY, change.key())
          .addKeyValue(LogFields.PARTITION, partition(change))
          .log(
              "The store answers {} to a change ({}) of {}, key {}, partition {}: the broker's view"
                  + " and the database differ. Look for rows that something else changed, and"
                  + " report this as a bug if there are none",
              outcome,
              change.kind(),
              change.id().isEmpty() ? "no task" : change.id(),
              change.key(),
              partition(change));
    }
  }

  private static String partition(Change change) {
    return switch (change) {
      case Change.OfRow row -> row.origin().topic() + "-" + row.origin().partition();
      case Change.OfPartition of -> of.partition().topic() + "-" + of.partition().partition();
    };
  }

  private boolean isLogged(EngineEvent event) {
    Level level = level(event);
    return log.isEnabledForLevel(level)
        && (level == Level.DEBUG || budgets.computeIfAbsent(event, _ -> new Budget()).allows());
  }

  /// Adds the task identity to a log line; the only place that does.
  private static void write(
      Level level, String event, String text, Activation about, String detail) {
    LoggingEventBuilder line = log.atLevel(level).addKeyValue(LogFields.EVENT, event);
    for (Map.Entry<String, Object> field : TaskIdentity.of(about).fields().entrySet()) {
      line = line.addKeyValue(field.getKey(), field.getValue());
    }
    line.log("{}: {}{}", text, about.id(), inParentheses(detail));
  }

  /// Stable name of an event in the field [LogFields#EVENT].
  static String name(Enum<?> event) {
    return event.name().toLowerCase(Locale.ROOT);
  }

  private static String inParentheses(String detail) {
    return detail.isEmpty() ? "" : " (" + detail + ")";
  }

  private static Level level(EngineEvent event) {
    return switch (event.level()) {
      case COUNTED -> Level.TRACE;
      case DEBUG -> Level.DEBUG;
      case INFO -> Level.INFO;
      case WARN -> Level.WARN;
    };
  }

  /// Log field that holds the id.
  private static String field(EngineEvent event) {
    return switch (event) {
      case NO_WORKER, WORKER_UNREACHABLE, WORKER_OVERLOADED, WORKER_REJECTS ->
          LogFields.APPLICATION;
      default -> LogFields.TASK_ID;
    };
  }

  /// Beginning of the line about an event that is logged.
  static String text(EngineEvent event) {
    return switch (event) {
      case UNDECODABLE -> "not an activation, forwarded to the dead-letter topic";
      case EXPIRED, EXPIRED_ON_ARRIVAL -> "expired, removed";
      case KILLED_BY_NAME -> "dropped by a killswitch";
      case KILLED_BY_SELECTOR -> "dropped by a killswitch for these arguments";
      case SWITCHED_OFF -> "removed from flight by a killswitch";
      case DEMOTED, DEMOTED_IN_FLIGHT -> "its namespace is demoted, forwarded";
      case DEMOTION_SKIPPED ->
          "its namespace is demoted to a topic that this broker consumes, not forwarded";
      case DUPLICATE -> "duplicate of a task in flight or recently finished, dropped";
      case DEADLINE_PASSED -> "processing deadline passed without a report";
      case LEASE_PASSED -> "lease of the claim expired without an answer from the worker";
      case DISCARDED -> "failed for good, discarded";
      case DEAD_LETTERED -> "failed for good, forwarded to the dead-letter topic";
      case RETRIED -> "forwarded to the retry topic";
      case NO_WORKER -> "no worker is configured (worker_map) for application";
      case PUSH_REFUSED -> "refused by its worker";
      case WORKER_UNREACHABLE -> "cannot reach the worker of application";
      case WORKER_OVERLOADED -> "the worker is overloaded, of application";
      case WORKER_REJECTS ->
          "the worker refuses every task (check worker_map, secrets and permissions), of"
              + " application";
      case WORKER_LOST -> "the worker that had a task is gone";
      case WORKER_DIED -> "a worker died while this was its only task";
      case QUARANTINED ->
          "quarantined: Kafka refuses it; kept in the store and produced again periodically";
      case UNKNOWN_ID -> "report for an id that is not in flight";
      case STALE_REPORT -> "report came too late, ignored";
      case CLAIMED,
          PUSHED,
          PULLED,
          ATTEMPTS_EXCEEDED,
          DELAY_ELAPSED,
          COMPLETED,
          DEAD_LETTER_PRODUCED,
          RETRY_PRODUCED,
          HELD_BY_PENDING,
          HELD_BY_PROCESSING,
          HELD_BY_STORE,
          HELD_BY_MEMORY,
          HELD_BY_FORWARDING,
          DEMOTION_PRODUCED,
          DEMOTION_REFUSED ->
          throw new IllegalArgumentException(event + " is not logged");
    };
  }

  /// Beginning of the line about a step.
  static String text(TaskLifecycle step) {
    return switch (step) {
      case RECEIVED -> "received";
      case DELAYED -> "received, delayed";
      case PARKED -> "received, parked on disk";
      case READ_BACK -> "unparked";
      case DELAY_ENDED -> "its delay is over";
      case CALLED -> "pushed to its worker";
      case TAKEN -> "accepted by its worker";
      case NOT_TAKEN -> "not accepted by its worker, or no answer";
      case FETCHED -> "fetched by a worker";
      case REPORTED -> "reported by a worker";
      case COMPLETED -> "completed";
      case RETRY_PRODUCED -> "retry produced to Kafka";
      case PRODUCED -> "produced to Kafka";
    };
  }

  /// Rate limit of one kind of event.
  private static final class Budget {
    private long secondStartedAt = System.nanoTime();
    private int left = PER_SECOND;

    boolean allows() {
      long now = System.nanoTime();
      if (now - secondStartedAt >= SECOND_NANOS) {
        secondStartedAt = now;
        left = PER_SECOND;
      }
      return left-- > 0;
    }
  }
}
