package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.LogCapture;
import io.taskbroker.ingest.fetch.LogEnds;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A transaction that does not end holds back the records behind it: that is seen (G9).
final class OpenTransactionsTest {
  private static final TopicPartition PARTITION = new TopicPartition("tasks", 3);

  @RegisterExtension private final LogCapture log = LogCapture.of(OpenTransactions.class);
  private final TopicCounts counts = new TopicCounts("tasks", new Metrics());
  private final LogEnds ends = new LogEnds();
  private long now;
  private final OpenTransactions transactions = new OpenTransactions(ends, counts, () -> now);

  @Test
  void oneThatLastsLongIsNamedOnceAMinuteUntilItEnds() {
    ends.seen(3, 10, 15);
    lookAfter(0);
    lookAfter(59);
    assertThat(counts.waitsForTransactions()).isEmpty();
    lookAfter(1);
    assertThat(counts.waitsForTransactions()).isEqualTo("partition tasks-3 at offset 10");
    lookAfter(59);
    assertThat(log.lines())
        .singleElement()
        .asString()
        .startsWith("WARN A transaction of a producer has been open for more than 60 s in")
        .contains("partition tasks-3 at offset 10", "kafka-transactions.sh");
    ends.seen(3, 15, 15);
    lookAfter(1);
    assertThat(counts.waitsForTransactions()).isEmpty();
    assertThat(log.lines())
        .hasSize(2)
        .last()
        .isEqualTo("INFO No transaction holds back the records of tasks any more");
  }

  @Test
  void manyInTurnAreUsual() {
    for (int i = 0; i < 100; i++) {
      ends.seen(3, i, i + 10);
      lookAfter(30);
    }
    assertThat(log.lines()).isEmpty();
  }

  @Test
  void whatIsBeforeItMustBeReadAndThePartitionBeHeld() {
    ends.seen(3, 10, 15);
    for (int i = 0; i < 10; i++) {
      now += Duration.ofMinutes(1).toNanos();
      transactions.look(Set.of(PARTITION), _ -> false);
      transactions.look(List.of(), _ -> true);
      transactions.look(Set.of(new TopicPartition("tasks", 4)), _ -> true);
    }
    assertThat(log.lines()).isEmpty();
  }

  private void lookAfter(long seconds) {
    now += Duration.ofSeconds(seconds).toNanos();
    transactions.look(Set.of(PARTITION), _ -> true);
  }
}
