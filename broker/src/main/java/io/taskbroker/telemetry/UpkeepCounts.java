package io.taskbroker.telemetry;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/// The reference's log line after an upkeep round with any activity: `upkeep.complete` at level
/// debug of its target, with a field per counter (reference-spec 8.1). Not thread-safe.
public final class UpkeepCounts {
  private static final Logger log = LoggerFactory.getLogger("io.taskbroker.upkeep");

  private final Map<String, CounterDataPoint> counters = new LinkedHashMap<>();
  private final Map<String, Long> before = new LinkedHashMap<>();

  public UpkeepCounts(Metrics metrics) {
    Labelled<CounterDataPoint> states = metrics.transitions;
    Labelled<CounterDataPoint> kinds = metrics.cleanups;
    add("retried", states.of("retried"));
    add("processing_deadline_reset", kinds.of("processing_deadline_exceeded"));
    add("claim_expiration_reset", kinds.of("claim_expiration_exceeded"));
    add("processing_attempts_exceeded", kinds.of("mark_processing_attempts_exceeded_as_failure"));
    add("expired", kinds.of("removed_expired"));
    add("delay_elapsed", kinds.of("mark_delay_elapsed_as_pending"));
    add("failed", states.of("failed"));
    add("discarded", kinds.of("delete_discarded"));
    add("deadlettered", kinds.of("publish_deadlettered"));
    add("completed", states.of("completed"));
    add("killswitched", kinds.of("removed_killswitched"));
    add("forwarded", metrics.forwarded);
  }

  private void add(String name, CounterDataPoint counter) {
    counters.put(name, counter);
  }

  /// Logs the increments since the last call, if there are any and debug is enabled.
  public void say() {
    if (!log.isDebugEnabled()) {
      return;
    }
    LoggingEventBuilder line = log.atDebug();
    boolean any = false;
    for (var entry : counters.entrySet()) {
      long now = entry.getValue().getLongValue();
      Long last = before.put(entry.getKey(), now);
      long more = now - (last == null ? 0 : last);
      line = line.addKeyValue("result_context." + entry.getKey(), more);
      any |= more != 0;
    }
    if (any) {
      line.log("upkeep.complete");
    }
  }
}
