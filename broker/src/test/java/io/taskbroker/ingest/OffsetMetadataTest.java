package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.junit.jupiter.api.Test;

final class OffsetMetadataTest {
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "uuid", "topic", 0);

  @Test
  void metadataIsParsedAgain() {
    Stream.of(Watermark.NONE, 0L, Long.MAX_VALUE)
        .map(startOffset -> new OffsetMetadata("store", "uuid", startOffset))
        .forEach(metadata -> assertThat(OffsetMetadata.of(metadata.text())).hasValue(metadata));
  }

  @Test
  void foreignMetadataIsIgnored() {
    assertThat(
            Stream.of("", "x", "taskbroker/1", "taskbroker/2 a b 1", "taskbroker/1 a b c")
                .map(OffsetMetadata::of))
        .allSatisfy(metadata -> assertThat(metadata).isEmpty());
  }

  @Test
  void theHighestKnownStartOffsetIsWrittenClampedToTheCommit() {
    assertThat(startOffset(Map.of(), 100, Watermark.NONE)).isEqualTo(Watermark.NONE);
    assertThat(startOffset(Map.of(), 100, 40)).isEqualTo(40);
    assertThat(startOffset(Map.of(PARTITION, 60L), 100, 40)).isEqualTo(60);
    assertThat(startOffset(Map.of(PARTITION, 60L), 100, 70)).isEqualTo(70);
    assertThat(startOffset(Map.of(PARTITION, 101L), 100, 70)).isEqualTo(100);
  }

  private static long startOffset(Map<SourcePartition, Long> known, long offset, long startOffset) {
    var metadataFormat =
        OffsetMetadataFormat.of("s", PartitionOwnership.sole(List.of(), () -> known));
    long from = metadataFormat.startOffset(PARTITION, offset, startOffset);
    OffsetAndMetadata commit =
        metadataFormat.commit(PARTITION, offset, from, StorePosition.NONE, null);
    assertThat(commit.offset()).isEqualTo(offset);
    assertThat(OffsetMetadata.of(commit.metadata()).orElseThrow().startOffset()).isEqualTo(from);
    return from;
  }

  @Test
  void onlyMetadataOfThisStoreAndTopicIsOwn() {
    var metadataFormat = metadataFormat("s");
    OffsetAndMetadata mine = metadataFormat.commit(PARTITION, 10, 5, StorePosition.NONE, null);
    assertThat(metadataFormat.own(mine, "uuid")).isEqualTo(new OffsetMetadata("s", "uuid", 5));
    assertThat(metadataFormat.own(mine, "made again")).isNull();
    assertThat(metadataFormat("other").own(mine, "uuid")).isNull();
    assertThat(metadataFormat.own(new OffsetAndMetadata(10), "uuid")).isNull();
    assertThat(OffsetMetadataFormat.isOfAnotherTopic(mine, "made again")).isTrue();
    assertThat(OffsetMetadataFormat.isOfAnotherTopic(mine, "uuid")).isFalse();
    assertThat(OffsetMetadataFormat.isOfAnotherTopic(new OffsetAndMetadata(10), "uuid")).isFalse();
  }

  private static OffsetMetadataFormat metadataFormat(String store) {
    return OffsetMetadataFormat.of(store, PartitionOwnership.sole(List.of(), Map::of));
  }
}
