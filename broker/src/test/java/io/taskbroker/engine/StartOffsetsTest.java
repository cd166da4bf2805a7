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
  void emptyStoreHasFinishedEverythingConsumed() {
    assertThat(startOffsets.observe(Long.MAX_VALUE, 7, watermarks(30, 50)))
        .isEqualTo(Map.of(partition(0), 30L, partition(1), 50L));
  }

  @Test
  void offsetsAreUnknownUntilTheFirstRowsAreGone() {
    assertThat(startOffsets.observe(3, 7, watermarks(30))).isEmpty();
    assertThat(startOffsets.observe(7, 20, watermarks(90))).isEmpty();
    assertThat(startOffsets.observe(8, 21, watermarks(95))).isEqualTo(Map.of(partition(0), 30L));
    assertThat(startOffsets.observe(21, 22, watermarks(96))).isEqualTo(Map.of(partition(0), 90L));
  }

  @Test
  void partitionThatIsReadAgainIsUnknownUntilItsRowsAreGone() {
    var _ = startOffsets.observe(Long.MAX_VALUE, 7, watermarks(30, 50));
    assertThat(startOffsets.observe(8, 9, watermarks(10, 50))).isEqualTo(Map.of(partition(1), 50L));
    assertThat(startOffsets.observe(10, 11, watermarks(12, 60)))
        .isEqualTo(Map.of(partition(0), 10L, partition(1), 50L));
  }

  /// Random rows, some of them long-lived: no row is ever below the start offset, and the start
  /// offset advances once they are gone.
  @Test
  void noRowIsBelowTheStartOffset() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    var rows = new TreeMap<Long, long[]>(); // partition and offset by key
    long[] next = new long[3];
    long key = 0;
    Map<SourcePartition, Long> reported = Map.of();
    for (int round = 0; round < 3_000; round++) {
      for (int i = random.nextInt(4); i > 0; i--) {
        int partition = random.nextInt(3);
        rows.put(++key, new long[] {partition, next[partition]});
        next[partition] += 1 + random.nextInt(3);
      }
      rows.keySet().removeIf(each -> random.nextInt(each % 50 == 0 ? 400 : 5) == 0);
      long first = rows.isEmpty() ? Long.MAX_VALUE : rows.firstKey();
      reported = startOffsets.observe(first, key, watermarks(next));
      for (long[] row : rows.values()) {
        assertThat(reported.getOrDefault(partition((int) row[0]), 0L))
            .as("seed %d, round %d", seed, round)
            .isLessThanOrEqualTo(row[1]);
      }
    }
    assertThat(startOffsets.observe(Long.MAX_VALUE, key, watermarks(next)))
        .as("seed %d", seed)
        .isEqualTo(Map.of(partition(0), next[0], partition(1), next[1], partition(2), next[2]));
    assertThat(reported.values())
        .as("seed %d", seed)
        .allSatisfy(offset -> assertThat(offset).isPositive());
  }

  private static List<Watermark> watermarks(long... next) {
    var watermarks = new ArrayList<Watermark>();
    for (int i = 0; i < next.length; i++) {
      watermarks.add(new Watermark(partition(i), next[i], Watermark.NONE));
    }
    return watermarks;
  }

  private static SourcePartition partition(int number) {
    return new SourcePartition("cluster", "group", "uuid", "topic", number);
  }
}
