package io.taskbroker.ingest.fetch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.fuzz.Cost;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Fetch responses with arbitrary content: nothing is allocated by a length from the data before it
/// is compared with a bound, and readable records are read (G7, G8).
final class BoundedRecordsTest {
  private static final int MAX_VALUE = 1 << 20;
  private static final int MAX_BLOCK = 4 << 20;
  private static final int HUGE = 120 << 20;
  private static final int MUTATIONS = 400;
  private static final FetchLimits LIMITS =
      new FetchLimits(MAX_VALUE, 0, 1, MAX_BLOCK, 1 << 30, Integer.MAX_VALUE);
  private static final FetchLimits WITH_HEADERS =
      new FetchLimits(MAX_VALUE, 10, 4, MAX_BLOCK, 1 << 30, Integer.MAX_VALUE);

  /// Buffers of codecs, the compressed bytes once more for snappy, and one value.
  private static final long MODEST = 16 << 20;

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void readsAllRecords(CompressionType codec) {
    ByteBuffer bytes =
        Batches.joined(
            Batches.of(codec, 5, text("a"), null, text("c")), Batches.of(codec, 8, text("d")));
    assertThat(read(bytes, 5))
        .containsExactly(good(5, "a"), good(6, null), good(7, "c"), good(8, "d"));
    assertThat(read(bytes, 7)).containsExactly(good(7, "c"), good(8, "d"));
  }

  @ParameterizedTest
  @ValueSource(bytes = {0, 1})
  void readsOldFormats(byte magic) {
    for (CompressionType codec : List.of(CompressionType.NONE, CompressionType.GZIP)) {
      ByteBuffer bytes = Batches.of(codec, magic, 5, text("a"), text("b"));
      assertThat(read(bytes, 5)).containsExactly(good(5, "a"), good(6, "b"));
    }
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void g7WhatIsTooLargeIsSkippedAndNotAllocated(CompressionType codec) {
    byte[] large = new byte[codec == CompressionType.NONE ? 2 * MAX_VALUE : HUGE];
    ByteBuffer bytes = Batches.of(codec, 5, text("a"), large, text("c"));

    List<Batches.Read> read = Cost.within(MODEST, () -> read(bytes, 5));

    assertThat(read).hasSize(3).contains(good(5, "a"), good(7, "c"));
    assertOversized(read.get(1), 6, "a value of " + large.length + " bytes");
  }

  @ParameterizedTest
  @EnumSource(
      value = CompressionType.class,
      names = {"GZIP", "SNAPPY", "LZ4"})
  void g7ABatchOfAnOldFormatIsNotDecompressedAtOnce(CompressionType codec) {
    ByteBuffer bytes = Batches.of(codec, (byte) 1, 5, text("a"), new byte[HUGE]);

    List<Batches.Read> read = Cost.within(MODEST, () -> read(bytes, 5));

    assertThat(read).hasSize(1);
    assertOversized(read.getFirst(), 6, "of an old format");
  }

  /// A skipping reader would mistake an lz4 block that decompresses to nothing for the end.
  @Test
  void g7AnEmptyBlockHidesNoRecord() {
    ByteBuffer bytes = Batches.of(CompressionType.LZ4, (byte) 1, 5, text("a"), new byte[HUGE]);
    ByteBuffer hiding = Batches.withEmptyBlock(bytes);

    List<Batches.Read> read = Cost.within(MODEST, () -> read(hiding, 5));

    assertThat(read).hasSize(1);
    assertOversized(read.getFirst(), 6, "of an old format");
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void g7ALengthThatIsClaimedIsNotBelieved(CompressionType codec) {
    byte[] content = Batches.varint(Integer.MAX_VALUE);
    ByteBuffer bytes = Batches.crafted(codec, 3, Batches.compressed(codec, content));

    List<Batches.Read> read = Cost.within(MODEST, () -> read(bytes, 1));

    assertThat(read).hasSize(1);
    assertOversized(read.getFirst(), 2, "a record of 2147483647 bytes");
  }

  @Test
  void g7ABlockOfSnappyIsNotBelievedEither() {
    byte[] claims = {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x07, 0};
    ByteBuffer bare = Batches.crafted(CompressionType.SNAPPY, 2, claims);
    assertOversized(only(Cost.within(MODEST, () -> read(bare, 0))), 1, "a block of snappy");

    byte[] framed = Batches.compressed(CompressionType.SNAPPY, text("a"));
    System.arraycopy(claims, 0, framed, 20, Math.min(claims.length, framed.length - 20));
    byte[] padded = Arrays.copyOf(framed, Math.max(framed.length, 26));
    System.arraycopy(claims, 0, padded, 20, claims.length);
    ByteBuffer.wrap(padded).putInt(16, padded.length - 20);
    ByteBuffer blocks = Batches.crafted(CompressionType.SNAPPY, 2, padded);
    assertOversized(only(Cost.within(MODEST, () -> read(blocks, 0))), 1, "a block of snappy");

    ByteBuffer.wrap(padded).putInt(16, Integer.MAX_VALUE / 8);
    ByteBuffer cut = Batches.crafted(CompressionType.SNAPPY, 2, padded);
    assertUnreadable(only(Cost.within(MODEST, () -> read(cut, 0))), 0, "is cut off");
  }

  @Test
  void g7WhatABatchDecompressesToIsBounded() {
    ByteBuffer bytes =
        Batches.of(CompressionType.ZSTD, 5, text("a"), new byte[HUGE], text("c"), text("d"));
    var limits = new FetchLimits(MAX_VALUE, 0, 1, MAX_BLOCK, MAX_VALUE, Integer.MAX_VALUE);

    List<Batches.Read> read = Batches.read(bytes, 5, limits, plenty());

    assertThat(read).hasSize(2).contains(good(5, "a"));
    assertOversized(read.getLast(), 8, "the records from offset 6 on are not read");
  }

  @Test
  void g7HeadersAreBounded() {
    Header[] many = new Header[300_000];
    Arrays.fill(many, new RecordHeader("", new byte[0]));
    ByteBuffer tiny = Batches.of(CompressionType.ZSTD, many);
    assertThat(Cost.within(MODEST, () -> read(tiny, 0))).containsExactly(good(0, "value"));
    assertOversized(
        only(Cost.within(MODEST, () -> Batches.read(tiny, 0, WITH_HEADERS, plenty()))),
        0,
        "300000 headers are more than 10");

    Header[] large = {new RecordHeader("k", new byte[HUGE])};
    ByteBuffer one = Batches.of(CompressionType.ZSTD, large);
    assertOversized(
        only(Cost.within(MODEST, () -> Batches.read(one, 0, WITH_HEADERS, plenty()))),
        0,
        "headers of ");
  }

  /// Kafka takes the high watermark of an answer before it reads the log.
  @Test
  void readsRecordsThatWereReplicatedWhileKafkaAnswered() {
    ByteBuffer bytes =
        Batches.joined(
            Batches.of(CompressionType.NONE, 5, text("a")),
            Batches.of(CompressionType.NONE, 6, text("b")),
            Batches.of(CompressionType.NONE, 7, text("c")));
    assertThat(
            BoundedRecords.of(MemoryRecords.readableRecords(bytes), 5, 6, LIMITS, plenty())
                .batches())
        .extracting(RecordBatch::lastOffset)
        .containsExactly(5L, 6L, 7L);
  }

  @Test
  void headersAreReadIfTheLimitsAllowThem() {
    Header[] headers = {new RecordHeader("a", text("1")), new RecordHeader("b", (byte[]) null)};
    assertThat(headersRead(headers, WITH_HEADERS)).containsExactly(headers);
  }

  /// Headers that nobody asks for are skipped, however many and large; those of a trace are short.
  @Test
  void g7OfOtherHeadersOnlyATraceIsRead() {
    Header parent = new RecordHeader("traceparent", new byte[55]);
    Header state = new RecordHeader("tracestate", text("a=1"));
    Header[] among = {
      new RecordHeader("other-value", text("1")),
      parent,
      new RecordHeader("", new byte[0]),
      new RecordHeader("tracestates", (byte[]) null),
      state
    };
    assertThat(headersRead(among, LIMITS)).containsExactly(parent, state);

    Header[] large = {new RecordHeader("traceparent", new byte[HUGE])};
    assertThat(Cost.within(MODEST, () -> List.of(headersRead(large, LIMITS)))).isEmpty();

    Header[] many = new Header[1_000];
    Arrays.fill(many, new RecordHeader("", new byte[0]));
    many[999] = parent;
    assertThat(headersRead(many, LIMITS)).isEmpty();
  }

  private Header[] headersRead(Header[] headers, FetchLimits limits) {
    ByteBuffer bytes = Batches.of(CompressionType.LZ4, headers);
    RecordBatch batch =
        BoundedRecords.of(MemoryRecords.readableRecords(bytes), 0, 10, limits, plenty())
            .batches()
            .iterator()
            .next();
    var records = batch.streamingIterator(BufferSupplier.create());
    assertThat(records.hasNext()).isTrue();
    Record record = records.next();
    return record.headers();
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void g7APollEndsWithItsBudgetAndTheNextGoesOn(CompressionType codec) {
    ByteBuffer bytes = Batches.of(codec, 0, text("a".repeat(600)), text("b".repeat(600)));
    var budget = plenty();
    budget.begin(1_000);
    RecordBatch batch =
        BoundedRecords.of(MemoryRecords.readableRecords(bytes), 0, 10, LIMITS, budget)
            .batches()
            .iterator()
            .next();
    var records = batch.streamingIterator(BufferSupplier.create());
    assertThat(records.hasNext()).isTrue();
    assertThat(Batches.read(records.next()).value()).startsWith("a");
    assertThat(records.hasNext()).isTrue();
    Record second = records.next();
    assertThatThrownBy(second::key).isInstanceOf(PollBudgetExceeded.class);
    assertThatThrownBy(second::key).isInstanceOf(PollBudgetExceeded.class);
    budget.end();
    budget.begin(0);
    assertThat(Batches.read(second).value()).hasSize(600).startsWith("b");
    assertThat(records.hasNext()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void g8ADamagedRecordEndsTheRecords(CompressionType codec) {
    ByteBuffer damaged = Batches.of(codec, 7, text("c"), text("d"));
    flip(damaged, damaged.limit() - 3);
    ByteBuffer bytes =
        Batches.joined(
            Batches.of(codec, 5, text("a"), text("b")), damaged, Batches.of(codec, 9, text("e")));

    List<Batches.Read> read = read(bytes, 6);

    assertThat(read).hasSize(2).contains(good(6, "b"));
    assertUnreadable(read.getLast(), 7, "Record is corrupt");
    assertUnreadable(only(read(damaged, 8)), 8, "Record is corrupt");
  }

  @Test
  void g8ADamagedHeaderEndsTheRecords() {
    ByteBuffer moved = Batches.of(CompressionType.NONE, 7, text("c"));
    assertUnreadable(only(read(moved, 8)), 8, "a batch ends at offset 7");
    moved.putLong(0, 1L << 40);
    assertUnreadable(only(read(moved, 7)), 7, "a batch ends at offset");

    ByteBuffer unknown =
        Batches.signed(Batches.of(CompressionType.NONE, 7, text("c")).put(22, (byte) 7));
    assertUnreadable(only(read(unknown, 7)), 7, "compression type");

    ByteBuffer magic = Batches.of(CompressionType.NONE, 7, text("c")).put(16, (byte) 9);
    assertUnreadable(only(read(magic, 7)), 7, "magic");

    ByteBuffer shorter = Batches.of(CompressionType.NONE, 7, text("c")).putInt(8, 20);
    assertUnreadable(only(read(shorter, 7)), 7, "");
    assertUnreadable(only(read(ByteBuffer.wrap(new byte[5]), 7)), 7, "no complete batch");
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void g8ATruncatedRecordEndsTheRecords(CompressionType codec) {
    byte[] content = Batches.array(Batches.of(CompressionType.NONE, 0, text("a"), text("bbbb")));
    byte[] cut = Arrays.copyOfRange(content, 61, content.length - 4);
    ByteBuffer bytes = Batches.crafted(codec, 2, Batches.compressed(codec, cut));

    List<Batches.Read> read = read(bytes, 0);

    assertThat(read).hasSize(2).contains(good(0, "a"));
    assertUnreadable(read.getLast(), 1, "");
  }

  /// Arbitrary content of a batch with a valid checksum: no exception ends a poll, and memory stays
  /// bounded.
  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void g8NoContentFailsAPoll(CompressionType codec) {
    long seed = System.nanoTime();
    var random = new Random(seed);
    byte[] original =
        Batches.array(Batches.of(codec, 0, text("a"), random(random, 3_000), new byte[5_000]));
    for (int i = 0; i < MUTATIONS; i++) {
      var bytes = ByteBuffer.wrap(original.clone());
      for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
        flip(bytes, 57 + random.nextInt(original.length - 57));
      }
      Batches.signed(bytes);
      for (FetchLimits limits : List.of(LIMITS, WITH_HEADERS)) {
        List<Batches.Read> read =
            Cost.within(2 * MODEST, () -> Batches.read(bytes, 0, limits, plenty()));
        assertThat(read)
            .as("codec %s, seed %d, mutation %d", codec, seed, i)
            .filteredOn(each -> each.offset() > 2)
            .isEmpty();
      }
    }
  }

  @Test
  void g7MemoryIsSharedAndALargeRecordWaitsForAllOfIt() {
    var memory = new IntakeMemory(1_000);
    var one = new PollBudget(memory);
    var other = new PollBudget(memory);
    one.begin(10_000);
    other.begin(10_000);
    one.take(500);
    assertThatThrownBy(() -> other.take(500)).isInstanceOf(PollBudgetExceeded.class);
    one.end();
    other.take(5_000);
    assertThatThrownBy(() -> one.take(1)).isInstanceOf(PollBudgetExceeded.class);
    other.end();
    memory.add(900);
    assertThatThrownBy(() -> one.take(1)).isInstanceOf(PollBudgetExceeded.class);
    memory.give(900);
    one.take(1);
    one.end();
    assertThat(memory.used()).isZero();
  }

  private static List<Batches.Read> read(ByteBuffer bytes, long from) {
    return Batches.read(bytes, from, LIMITS, plenty());
  }

  private static PollBudget plenty() {
    var budget = new PollBudget(IntakeMemory.unbounded());
    budget.begin(1 << 30);
    return budget;
  }

  private static Batches.Read good(long offset, @org.jspecify.annotations.Nullable String value) {
    return new Batches.Read(offset, value, null);
  }

  private static Batches.Read only(List<Batches.Read> read) {
    assertThat(read).hasSize(1);
    return read.getFirst();
  }

  private static void assertOversized(Batches.Read read, long offset, String reason) {
    assertFlaw(read, UnreadRecord.Kind.OVERSIZED, offset, reason);
  }

  private static void assertUnreadable(Batches.Read read, long offset, String reason) {
    assertFlaw(read, UnreadRecord.Kind.UNREADABLE, offset, reason);
  }

  private static void assertFlaw(
      Batches.Read read, UnreadRecord.Kind kind, long offset, String reason) {
    assertThat(read.value()).isNull();
    assertThat(read.flaw())
        .isNotNull()
        .satisfies(flaw -> {
          assertThat(flaw.kind()).as(flaw.reason()).isEqualTo(kind);
          assertThat(flaw.reason()).contains(reason);
        });
    assertThat(read.offset()).isEqualTo(offset);
  }

  private static void flip(ByteBuffer bytes, int at) {
    bytes.put(at, (byte) (bytes.get(at) ^ 1 << (at % 8)));
  }

  private static byte[] text(String text) {
    return text.getBytes(UTF_8);
  }

  private static byte[] random(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }
}
