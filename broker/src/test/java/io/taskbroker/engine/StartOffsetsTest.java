package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class StartOffsetsTest {
  private final StartOffsets startOffsets = new StartOffsets();

  @Test
  void anEmptyStoreIsDoneWithAllThatItConsumed() {
    assertThat(startOffsets.observe(Long.MAX_VALUE, 7, marks(30, 50)))
        .isEqualTo(Map.of(partition(0), 30L, partition(1), 50L));
  }

  @Test
  void nothingIsKnownUntilWhatWasThereAtFirstIsGone() {
    assertThat(startOffsets.observe(3, 7, marks(30))).isEmpty();
    assertThat(startOffsets.observe(7, 20, marks(90))).isEmpty();
    assertThat(startOffsets.observe(8, 21, marks(95))).isEqualTo(Map.of(partition(0), 30L));
    assertThat(startOffsets.observe(21, 22, marks(96))).isEqualTo(Map.of(partition(0), 90L));
  }

  @Test
  void aPartitionThatIsReadAgainIsNotKnownUntilThatIsDone() {
    var _ = startOffsets.observe(Long.MAX_VALUE, 7, marks(30, 50));
    assertThat(startOffsets.observe(8, 9, marks(10, 50))).isEqualTo(Map.of(partition(1), 50L));
    assertThat(startOffsets.observe(10, 11, marks(12, 60)))
        .isEqualTo(Map.of(partition(0), 10L, partition(1), 50L));
  }

  /// Rows that come and go at random, some of which stay for long: no row is ever below what is
  /// said, and what is said follows once they are gone.
  @Test
  void noRowIsEverBelowWhatIsSaid() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    var rows = new TreeMap<Long, long[]>(); // partition and offset by key
    long[] next = new long[3];
    long key = 0;
    Map<SourcePartition, Long> said = Map.of();
    for (int round = 0; round < 3_000; round++) {
      for (int i = random.nextInt(4); i > 0; i--) {
        int partition = random.nextInt(3);
        rows.put(++key, new long[] {partition, next[partition]});
        next[partition] += 1 + random.nextInt(3);
      }
      rows.keySet().removeIf(each -> random.nextInt(each % 50 == 0 ? 400 : 5) == 0);
      long first = rows.isEmpty() ? Long.MAX_VALUE : rows.firstKey();
      said = startOffsets.observe(first, key, marks(next));
      for (long[] row : rows.values()) {
        assertThat(said.getOrDefault(partition((int) row[0]), 0L))
            .as("seed %d, round %d", seed, round)
            .isLessThanOrEqualTo(row[1]);
      }
    }
    assertThat(startOffsets.observe(Long.MAX_VALUE, key, marks(next)))
        .as("seed %d", seed)
        .isEqualTo(Map.of(partition(0), next[0], partition(1), next[1], partition(2), next[2]));
    assertThat(said.values()).as("seed %d", seed).allSatisfy(low -> assertThat(low).isPositive());
  }

  private static List<Watermark> marks(long... next) {
    var marks = new ArrayList<Watermark>();
    for (int i = 0; i < next.length; i++) {
      marks.add(new Watermark(partition(i), next[i], Watermark.NONE));
    }
    return marks;
  }

  private static SourcePartition partition(int number) {
    return new SourcePartition("cluster", "group", "uuid", "topic", number);
  }
}
