package io.taskbroker.activation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class IdsTest {
  @Test
  void sameAttemptHasTheSameId() {
    assertThat(Ids.retry("x", 1)).isEqualTo(Ids.retry("x", 1));
    assertThat(Ids.raw("topic", 1, record(2, 7, 99)))
        .isEqualTo(Ids.raw("topic", 1, record(2, 7, 99)));
  }

  @Test
  void g4AnotherRecordAtTheSameOffsetHasAnotherId() {
    String read = Ids.raw("topic", 1, record(2, 7, 99));
    assertThat(Ids.raw("topic", 1, record(2, 8, 99))).isNotEqualTo(read);
    assertThat(Ids.raw("topic", 1, record(2, 7, 100))).isNotEqualTo(read);
    var origin = new Origin("t", 3, 17);
    assertThat(Ids.undecodable(origin, 100)).isNotEqualTo(Ids.undecodable(origin, 99));
  }

  @Test
  void derivedIdsDiffer() {
    Set<String> ids = new HashSet<>();
    int made = 0;
    for (String name : new String[] {"x", "1", "11", "1\n1", ""}) {
      for (int i = 0; i < 20; i++) {
        ids.add(Ids.retry(name, i));
        ids.add(Ids.raw(name, i, record(1, 0, 0)));
        ids.add(Ids.raw(name, 100, record(i, 0, 0)));
        made += 3;
      }
    }
    assertThat(ids).hasSize(made);
  }

  @Test
  void derivedIdIsAUuidOfVersion8() {
    UUID id = UUID.fromString(Ids.retry("x", 1));
    assertThat(id.version()).isEqualTo(8);
    assertThat(id.variant()).isEqualTo(2);
  }

  @Test
  void derivedIdsAreDistinctFromPublishedIds() {
    assertThat(Ids.isDerived(Ids.retry("a", 1))).isTrue();
    assertThat(Ids.isDerived(Ids.raw("topic", 1, record(2, 7, 99)))).isTrue();
    assertThat(Ids.isDerived("0e1b4f3a-93c1-4b7e-8a55-2f6d7c8e9f00")).isFalse();
    assertThat(Ids.isDerived("0e1b4f3a93c18b7e8a552f6d7c8e9f00")).isFalse();
    assertThat(Ids.isDerived("")).isFalse();
  }

  @Test
  void undecodableIdNamesTopicPartitionOffsetAndTime() {
    assertThat(Ids.undecodable(new Origin("t", 3, 17), 99)).isEqualTo("undecodable:t:3:17:99");
  }

  @Test
  void fingerprintsDiffer() {
    Set<Ids.Fingerprint> seen = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      seen.add(Ids.fingerprint("id-" + i));
    }
    assertThat(seen).hasSize(10_000);
    assertThat(Ids.fingerprint("x")).isEqualTo(Ids.fingerprint("x"));
  }

  @ParameterizedTest
  @CsvSource({
    "00000000-0000-0000-0000-0000000000ff, 255",
    "00000000-0000-0000-0000-00000000AB10, 16",
    "000000000000000000000000000000fe, 254",
    "{00000000-0000-0000-0000-0000000000ff}, 255",
    "urn:uuid:00000000-0000-0000-0000-000000000007, 7",
    "00000000-0000-0000-0000-0000000000fg, 0",
    "00000000x0000-0000-0000-0000000000ff, 0",
    "not a uuid, 0",
    "'', 0"
  })
  void bucketIsTheUuidModulo256(String id, int bucket) {
    assertThat(Ids.bucket(id)).isEqualTo(bucket);
  }

  private static RecordIdentity record(long offset, int leaderEpoch, long timestamp) {
    return new RecordIdentity(offset, leaderEpoch, timestamp);
  }
}
