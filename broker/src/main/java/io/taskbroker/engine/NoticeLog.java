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

/// What the engine told operators, in the log; what is loud, no more than a few times a second. At
/// level debug, the life of each activation, too. Confined to the engine's thread.
public final class NoticeLog {
  private static final Logger log = LoggerFactory.getLogger(NoticeLog.class);
  private static final int PER_SECOND = 10;
  private static final long SECOND_NANOS = 1_000_000_000;

  private final boolean follows = log.isDebugEnabled();
  private final Map<Notice, Budget> budgets = new EnumMap<>(Notice.class);

  /// Whether the lives of activations are written down.
  public boolean follows() {
    return follows;
  }

  /// A step in the life of an activation.
  public void follow(TaskLifecycle step, Activation activation, String detail) {
    write(Level.DEBUG, text(step), activation, detail);
  }

  /// Something about an activation.
  public void notice(Notice notice, Activation about, String detail) {
    if (isSaid(notice)) {
      write(level(notice), text(notice), about, detail);
    }
  }

  /// Something about an application, or about an id of which there is no activation.
  public void notice(Notice notice, String id, String detail) {
    if (isSaid(notice)) {
      log.atLevel(level(notice))
          .addKeyValue(field(notice), id)
          .log("{}: {}{}", text(notice), id, inBrackets(detail));
    }
  }

  private boolean isSaid(Notice notice) {
    Level level = level(notice);
    return log.isEnabledForLevel(level)
        && (level == Level.DEBUG || budgets.computeIfAbsent(notice, _ -> new Budget()).allows());
  }

  /// The one place where a task gets its names in a line of the log.
  private static void write(Level level, String text, Activation about, String detail) {
    LoggingEventBuilder line = log.atLevel(level);
    for (Map.Entry<String, Object> field : TaskIdentity.of(about).fields().entrySet()) {
      line = line.addKeyValue(field.getKey(), field.getValue());
    }
    line.log("{}: {}{}", text, about.id(), inBrackets(detail));
  }

  private static String inBrackets(String detail) {
    return detail.isEmpty() ? "" : " (" + detail + ")";
  }

  private static Level level(Notice notice) {
    return switch (notice) {
      case UNDECODABLE, QUARANTINED, NO_WORKER, PUSH_REFUSED -> Level.WARN;
      case WORKER_UNREACHABLE, WORKER_OVERLOADED, WORKER_REJECTS, WORKER_DIED -> Level.WARN;
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

  /// What the id is one of.
  private static String field(Notice notice) {
    return switch (notice) {
      case NO_WORKER, WORKER_UNREACHABLE, WORKER_OVERLOADED, WORKER_REJECTS ->
          LogFields.APPLICATION;
      default -> LogFields.TASK_ID;
    };
  }

  private static String text(Notice notice) {
    return switch (notice) {
      case UNDECODABLE -> "not an activation, goes to the dead-letter topic";
      case EXPIRED -> "expired, removed";
      case KILLED_BY_NAME -> "its task is switched off, dropped";
      case KILLED_BY_SELECTOR -> "its task is switched off for such arguments, dropped";
      case SWITCHED_OFF -> "switched off while in flight, removed";
      case DEMOTED, DEMOTED_IN_FLIGHT -> "its namespace is demoted, passed on";
      case DEMOTION_SKIPPED ->
          "its namespace is demoted to a topic that this broker consumes, stays";
      case DUPLICATE -> "already in flight or just finished, dropped";
      case DEADLINE_PASSED -> "its worker let the processing deadline pass";
      case LEASE_PASSED -> "its worker did not answer within the lease of the claim";
      case DISCARDED -> "failed for good, discarded";
      case DEAD_LETTERED -> "failed for good, goes to the dead-letter topic";
      case RETRIED -> "goes to the retry topic";
      case NO_WORKER -> "no worker is configured (worker_map) for application";
      case PUSH_REFUSED -> "refused by its worker";
      case WORKER_UNREACHABLE -> "cannot reach the worker of application";
      case WORKER_OVERLOADED -> "the worker takes nothing more for now, of application";
      case WORKER_REJECTS ->
          "the worker refuses every task (check worker_map, secrets and permissions), of"
              + " application";
      case WORKER_DIED -> "a worker died while it was handed this task alone";
      case QUARANTINED ->
          "quarantined: it cannot be produced, is kept in the store and tried again now and then";
      case UNKNOWN_ID -> "report about an activation that is not in flight";
      case STALE_REPORT -> "report that came too late, not followed";
    };
  }

  private static String text(TaskLifecycle step) {
    return switch (step) {
      case RECEIVED -> "received";
      case DELAYED -> "received, waits for its time";
      case PARKED -> "received, parked on disk";
      case READ_BACK -> "read back from disk";
      case DELAY_ENDED -> "its delay is over";
      case CALLED -> "its worker is called";
      case TAKEN -> "its worker took it";
      case NOT_TAKEN -> "its worker did not take it, or did not say so";
      case FETCHED -> "fetched by a worker";
      case REPORTED -> "reported by a worker";
      case COMPLETED -> "completed";
      case RETRY_PRODUCED -> "Kafka has its retry";
      case PRODUCED -> "Kafka has it";
    };
  }

  /// How often something may be said.
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
