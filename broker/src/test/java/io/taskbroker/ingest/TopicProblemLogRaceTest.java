package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.LogCapture;
import io.taskbroker.Race;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/// The reader of a topic and Kafka's threads report at the same time: an outage is one line, and so
/// is its end.
@Tag("concurrency")
@Timeout(240)
final class TopicProblemLogRaceTest {
  @RegisterExtension private final LogCapture log = LogCapture.of(TopicProblemLog.class);

  @Test
  void anOutageAndItsEndAreALineEachWhicheverThreadReports() {
    var source =
        new TopicSource(
            "tasks",
            "group",
            Map.of("bootstrap.servers", "host:1"),
            Duration.ofSeconds(6),
            Duration.ofSeconds(5),
            "latest");
    var problems = new TopicProblemLog(source, () -> 0);
    Race.of(
        200,
        () -> problems,
        List.of(
            all -> all.failed(new TimeoutException("timed out")),
            all -> all.failed(new TimeoutException("timed out")),
            TopicProblemLog::readable),
        _ -> {});
    List<String> lines = log.lines();
    for (int i = 0; i < lines.size(); i++) {
      assertThat(lines.get(i)).as("line %d", i).startsWith(i % 2 == 0 ? "WARN" : "INFO");
    }
    assertThat(lines).isNotEmpty();
  }
}
