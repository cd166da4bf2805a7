package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.TaskIdentity;
import io.taskbroker.inflight.Notice;
import io.taskbroker.inflight.TaskLifecycle;
import io.taskbroker.telemetry.LogFields;
import java.util.EnumMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/// Log of the engine's notices. Notices above debug level are limited to [#PER_SECOND] a second for
/// each kind. At level debug it also logs each step of every task. Confined to the engine's thread.
public final class NoticeLog {
  private static final Logger log = LoggerFactory.getLogger(NoticeLog.class);
  private static final int PER_SECOND = 10;
  private static final long SECOND_NANOS = 1_000_000_000;

  private final boolean follows = log.isDebugEnabled();
  private final Map<Notice, Budget> budgets = new EnumMap<>(Notice.class);

  /// Whether task lifecycle steps are logged.
  public boolean follows() {
    return follows;
  }

  /// Logs one lifecycle step of a task.
  public void follow(TaskLifecycle step, Activation activation, String detail) {
    write(Level.DEBUG, text(step), activation, detail);
  }

  /// Logs a notice about a task.
  public void notice(Notice notice, Activation about, String detail) {
    if (isLogged(notice)) {
      write(level(notice), text(notice), about, detail);
    }
  }

  /// Logs a notice about an application, or about an id that is not in flight.
  public void notice(Notice notice, String id, String detail) {
    if (isLogged(notice)) {
      log.atLevel(level(notice))
          .addKeyValue(field(notice), id)
          .log("{}: {}{}", text(notice), id, inParentheses(detail));
    }
  }

  private boolean isLogged(Notice notice) {
    Level level = level(notice);
    return log.isEnabledForLevel(level)
        && (level == Level.DEBUG || budgets.computeIfAbsent(notice, _ -> new Budget()).allows());
  }

  /// Adds the task identity to a log line; the only place that does.
  private static void write(Level level, String text, Activation about, String detail) {
    LoggingEventBuilder line = log.atLevel(level);
    for (Map.Entry<String, Object> field : TaskIdentity.of(about).fields().entrySet()) {
      line = line.addKeyValue(field.getKey(), field.getValue());
    }
    line.log("{}: {}{}", text, about.id(), inParentheses(detail));
  }

  private static String inParentheses(String detail) {
    return detail.isEmpty() ? "" : " (" + detail + ")";
  }

  private static Level level(Notice notice) {
    return switch (notice) {
      case UNDECODABLE, QUARANTINED, NO_WORKER, PUSH_REFUSED -> Level.WARN;
      case WORKER_UNREACHABLE, WORKER_OVERLOADED, WORKER_REJECTS, WORKER_DIED, WORKER_LOST ->
          Level.WARN;
      case DEAD_LETTERED, DEADLINE_PASSED, LEASE_PASSED, DISCARDED -> Level.INFO;
      case DEMOTION_SKIPPED -> Level.INFO;
      case EXPIRED,
          KILLED_BY_NAME,
          KILLED_BY_SELECTOR,
          SWITCHED_OFF,
          DEMOTED,
          DEMOTED_IN_FLIGHT,
          DUPLICATE,
          RETRIED,
          UNKNOWN_ID,
          STALE_REPORT ->
          Level.DEBUG;
    };
  }

  /// Log field that holds the id.
  private static String field(Notice notice) {
    return switch (notice) {
      case NO_WORKER, WORKER_UNREACHABLE, WORKER_OVERLOADED, WORKER_REJECTS ->
          LogFields.APPLICATION;
      default -> LogFields.TASK_ID;
    };
  }

  private static String text(Notice notice) {
    return switch (notice) {
      case UNDECODABLE -> "not an activation, forwarded to the dead-letter topic";
      case EXPIRED -> "expired, removed";
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
    };
  }

  private static String text(TaskLifecycle step) {
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

  /// Rate limit of one kind of notice.
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
