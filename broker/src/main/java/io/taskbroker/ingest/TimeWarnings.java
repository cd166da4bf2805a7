package io.taskbroker.ingest;

import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says what is not done as a publisher asked for: a delay that is cut, or times that are counted
/// from now because the publisher's clock is ahead (G5). Each is counted, and logged once a minute
/// for a task name; of the names that come in a minute the last thousand are known. Used by the
/// thread that polls.
final class TimeWarnings {
  private static final Logger log = LoggerFactory.getLogger(TimeWarnings.class);
  private static final long WARN_EVERY_MILLIS = 60_000;
  static final int MAX_NAMES = 1_000;

  private final TopicCounts counts;
  private final Map<String, Long> cut = new Recent();
  private final Map<String, Long> ahead = new Recent();

  TimeWarnings(TopicCounts counts) {
    this.counts = counts;
  }

  /// @param asked seconds, unsigned
  /// @param now milliseconds since the epoch
  void delayCut(String taskname, long asked, long allowed, long now) {
    counts.delayCut();
    if (isDue(cut, taskname, now)) {
      log.warn(
          "The delay of {} s of task {} is cut to {} s, and it runs earlier than was asked for:"
              + " delay it less, or raise max_delayed_task_allowed_sec (said once a minute)",
          Long.toUnsignedString(asked),
          taskname,
          allowed);
    }
  }

  /// @param millis by how much
  /// @param now milliseconds since the epoch
  void clockAhead(String taskname, long millis, long now) {
    counts.clockAhead();
    if (isDue(ahead, taskname, now)) {
      log.warn(
          "Task {} was received {} s from now, by the clock of its publisher: its delay and expiry"
              + " count from now. Set the clock of the publisher, or of this broker (said once a"
              + " minute)",
          taskname,
          millis / 1_000);
    }
  }

  private static boolean isDue(Map<String, Long> said, String taskname, long now) {
    Long before = said.get(taskname);
    if (before != null && now - before < WARN_EVERY_MILLIS && now >= before) {
      return false;
    }
    said.put(taskname, now);
    return true;
  }

  /// When what was said of a name, the oldest of which is forgotten.
  private static final class Recent extends LinkedHashMap<String, Long> {
    private static final long serialVersionUID = 1;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
      return size() > MAX_NAMES;
    }
  }
}
