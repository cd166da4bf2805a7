package io.taskbroker.ingest;

import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Warnings about times that the broker changes: a delay that it clamps, or times that count from
/// now because the publisher's clock is ahead (G5). Each is counted, and logged once a minute for a
/// task name; the last thousand names of a minute are remembered. Used by the thread that polls.
final class TimeWarnings implements ActivationDecoder.TimeChanges {
  private static final Logger log = LoggerFactory.getLogger(TimeWarnings.class);
  private static final long WARN_EVERY_MILLIS = 60_000;
  static final int MAX_NAMES = 1_000;

  private final TopicCounts counts;
  private final Map<String, Long> cut = new Recent();
  private final Map<String, Long> ahead = new Recent();

  TimeWarnings(TopicCounts counts) {
    this.counts = counts;
  }

  @Override
  public void delayCut(String taskname, long asked, long allowed, long now) {
    counts.delayCut();
    if (isDue(cut, taskname, now)) {
      log.warn(
          "The delay of {} s of task {} is clamped to {} s, so it runs earlier than asked:"
              + " delay it less, or raise max_delayed_task_allowed_sec (logged once a minute)",
          Long.toUnsignedString(asked),
          taskname,
          allowed);
    }
  }

  @Override
  public void clockAhead(String taskname, long millis, long now) {
    counts.clockAhead();
    if (isDue(ahead, taskname, now)) {
      log.warn(
          "Task {} was received {} s from now by its publisher's clock: its delay and expiry"
              + " count from now. Correct the clock of the publisher or of this broker (logged once"
              + " a minute)",
          taskname,
          millis / 1_000);
    }
  }

  private static boolean isDue(Map<String, Long> loggedAt, String taskname, long now) {
    Long before = loggedAt.get(taskname);
    if (before != null && now - before < WARN_EVERY_MILLIS && now >= before) {
      return false;
    }
    loggedAt.put(taskname, now);
    return true;
  }

  /// Time of the last warning by task name; evicts the oldest name.
  private static final class Recent extends LinkedHashMap<String, Long> {
    private static final long serialVersionUID = 1;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
      return size() > MAX_NAMES;
    }
  }
}
