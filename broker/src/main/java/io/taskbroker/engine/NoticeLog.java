package io.taskbroker.engine;

import io.taskbroker.inflight.Notice;
import io.taskbroker.telemetry.LogFields;
import java.util.EnumMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// What the engine told operators, in the log; what is loud, no more than a few times a second.
/// Confined to the engine's thread.
public final class NoticeLog {
  private static final Logger log = LoggerFactory.getLogger(NoticeLog.class);
  private static final int PER_SECOND = 10;
  private static final long SECOND_NANOS = 1_000_000_000;

  private final Map<Notice, Budget> budgets = new EnumMap<>(Notice.class);

  public void notice(Notice notice, String id, String detail) {
    Level level = level(notice);
    if (!log.isEnabledForLevel(level)) {
      return;
    }
    if (level != Level.DEBUG && !budgets.computeIfAbsent(notice, _ -> new Budget()).allows()) {
      return;
    }
    log.atLevel(level)
        .addKeyValue(field(notice), id)
        .log("{}: {}{}", text(notice), id, detail.isEmpty() ? "" : " (" + detail + ")");
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
          "kept in the store, because Kafka refuses it, and tried again now and then";
      case UNKNOWN_ID -> "report about an activation that is not in flight";
      case STALE_REPORT -> "report that came too late, not followed";
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
