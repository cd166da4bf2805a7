package io.taskbroker.ingest;

import static io.taskbroker.activation.Watermark.NONE;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.ingest.LogProbe.Cut;
import io.taskbroker.ingest.StartingOffsets.Facts;
import io.taskbroker.ingest.StartingOffsets.Start;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StartingOffsetsTest {
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "uuid", "tasks", 0);
  private static final Cut CUT = new Cut(5, true);

  @Test
  void aRecordThatTheLogHasLostIsNotComparedAgain() {
    var lost = new RecordIdentity(8, 0, 1_000);
    var kept = new RecordIdentity(17, 1, 2_000);
    var facts = cutFacts(18, new Watermark(PARTITION, 9, 9, lost), null, CUT, null, true);
    var found = new PositionFinder.Found(PARTITION, facts, StartingOffsets.decide(facts), kept);

    assertThat(found.start().position()).isEqualTo(18);
    assertThat(found.lastBelow()).isEqualTo(kept);
  }

  /// Leader epochs may have changed between the two.
  @Test
  void theLaterRecordIsTheOneToCompareWith() {
    var stored = new RecordIdentity(4, 0, 1_000);
    var committed = new RecordIdentity(17, 1, 2_000);
    var facts = cutFacts(18, new Watermark(PARTITION, 5, 5, stored), null, null, null, true);
    var found =
        new PositionFinder.Found(PARTITION, facts, StartingOffsets.decide(facts), committed);

    assertThat(found.start().position()).isEqualTo(18);
    assertThat(found.lastBelow()).isEqualTo(committed);
  }

  /// Another broker has read on from the truncation point, and committed less than this one had
  /// read: what it committed is not read again.
  @Test
  void g3WhatAnotherBrokerCommittedSinceATruncationIsNotReadAgain() {
    var lost = new RecordIdentity(27, 0, 1_000);
    var facts = cutFacts(18, new Watermark(PARTITION, 28, 4, lost), null, CUT, null, true);

    Start start = StartingOffsets.decide(facts);

    assertThat(start).isEqualTo(new Start(18, false, true, false, false, CUT, NONE));
  }

  /// The watermark moves on, even if only its record changes: it would look lost at the next start.
  @Test
  void aWatermarkOfALostRecordIsReplaced() {
    var lost = new RecordIdentity(17, 0, 1_000);
    var facts = cutFacts(18, new Watermark(PARTITION, 18, 18, lost), null, CUT, null, true);

    assertThat(StartingOffsets.decide(facts).voided()).isTrue();
  }

  /// The same after a restored volume: at-most-once records below the old watermark may be those
  /// that this broker ran.
  @Test
  void g3RecordsBelowTheOldWatermarkMayHaveRunIfTheTruncationIsVague() {
    var lost = new RecordIdentity(27, 0, 1_000);
    var vague = new Cut(5, false);
    var facts = cutFacts(18, new Watermark(PARTITION, 28, 4, lost), null, vague, null, true);

    Start start = StartingOffsets.decide(facts);

    assertThat(start).isEqualTo(new Start(18, false, true, false, false, vague, 28));
  }

  /// This broker has read on from the truncation point, and the offset of before is still
  /// committed.
  @Test
  void g3WhatThisBrokerReadSinceATruncationIsNotReadAgain() {
    var kept = new RecordIdentity(8, 1, 2_000);
    var facts = cutFacts(18, new Watermark(PARTITION, 9, 4, kept), null, null, CUT, false);

    Start start = StartingOffsets.decide(facts);

    assertThat(start).isEqualTo(new Start(9, true, false, false, false, null, NONE));
  }

  /// Log and store went back: the store lacks what its own broker committed since the truncation.
  @Test
  void g3AStoreThatWentBackBeforeATruncationHasLostWhatWasCommittedSince() {
    var lost = new RecordIdentity(27, 0, 1_000);
    var own = new OffsetMetadata("store", "uuid", 2);
    var facts = cutFacts(18, new Watermark(PARTITION, 28, 4, lost), own, CUT, null, true);

    Start start = StartingOffsets.decide(facts);

    assertThat(start).isEqualTo(new Start(5, true, true, false, true, CUT, 18));
  }

  private static Facts cutFacts(
      long committed,
      Watermark watermark,
      @Nullable OffsetMetadata metadata,
      @Nullable Cut watermarkCut,
      @Nullable Cut committedCut,
      boolean committedKept) {
    return new Facts(
        committed,
        watermark,
        true,
        ResetPolicy.EARLIEST,
        0,
        40,
        metadata,
        NONE,
        watermarkCut,
        committedCut,
        committedKept);
  }

  /// The start offset follows from the committed offset's metadata. If nothing was ever committed
  /// it is the start of the log: a store that began at 150 may still have its records from there
  /// on.
  @Test
  void g1WhatIsInFlightIsKnownAlsoIfTheFirstCommitFailed() {
    Watermark watermark = new Watermark(PARTITION, 180, Watermark.NONE);
    assertThat(
            new Facts(Watermark.NONE, watermark, true, ResetPolicy.EARLIEST, 100, 200, null)
                .startOffset())
        .isEqualTo(100);
    assertThat(new Facts(150, watermark, true, ResetPolicy.EARLIEST, 100, 200, null).startOffset())
        .isEqualTo(Watermark.NONE);
  }

  /// The log is 100 to 200; `-` is none.
  @ParameterizedTest(name = "{0}: committed {1}, stored {2}/{3}, known {4}, {5}")
  @CsvSource({
    "h05 latest on an unknown topic,           -,   -,   -,   false, LATEST,   200, commit",
    "h05 earliest on an unknown topic,         -,   -,   -,   false, EARLIEST, 100, commit",
    "h05 latest on an added partition,         -,   -,   -,   true,  LATEST,   100, commit",
    "committed only,                           150, -,   -,   true,  LATEST,   150, ''",
    "h01 stored ahead of the commit,           150, 180, 150, true,  LATEST,   180, ''",
    "h01 an acknowledgement was lost,          160, 180, 150, true,  LATEST,   180, ''",
    "h01 none was acknowledged,                160, 180, -,   true,  LATEST,   180, ''",
    "h01 all is committed,                     180, 180, 180, true,  LATEST,   180, ''",
    "h01 the commit is gone,                   -,   180, 150, true,  LATEST,   180, ''",
    "h01 stored up to the end,                 150, 200, 150, true,  LATEST,   200, ''",
    "an operator moved the group back,         120, 180, 150, true,  LATEST,   120, voided",
    "an operator moved the group forward,      190, 180, 150, true,  LATEST,   190, voided",
    "h01 stored beyond the end,                150, 201, 150, true,  LATEST,   150, voided",
    "h01 stored beyond the end and no commit,  -,   201, 150, true,  LATEST,   100, commit voided",
    "h05 committed before the start,           50,  -,   -,   true,  LATEST,   100, commit lost",
    "h05 committed beyond the end,             201, -,   -,   true,  LATEST,   100, commit lost",
    "h05 stored before the start,              50,  60,  50,  true,  LATEST,   100, commit voided"
        + " lost",
    "h05 both beyond the end,                  300, 300, 300, true,  LATEST,   100, commit voided"
        + " lost",
  })
  void begins(
      String name,
      String committed,
      String next,
      String acknowledged,
      boolean known,
      ResetPolicy policy,
      long position,
      String flags) {
    Watermark watermark =
        next.equals("-") ? null : new Watermark(PARTITION, offset(next), offset(acknowledged));

    Start start =
        StartingOffsets.decide(
            new Facts(offset(committed), watermark, known, policy, 100, 200, null));

    assertThat(start)
        .as(name)
        .isEqualTo(
            new Start(
                position,
                flags.contains("commit"),
                flags.contains("voided"),
                flags.contains("lost"),
                false,
                null,
                start.reached()));
  }

  private static long offset(String text) {
    return text.equals("-") ? NONE : Long.parseLong(text);
  }

  /// Every combination of few offsets, compared with the rules one by one.
  @Test
  void h01h05FollowsTheRulesInEveryCase() {
    int cases = 0;
    for (Facts facts : everyCase()) {
      Start start = StartingOffsets.decide(facts);
      assertThat(start.position()).as("%s", facts).isEqualTo(expected(facts));
      assertThat(start.position()).as("%s", facts).isBetween(facts.logStart(), facts.logEnd());
      Watermark watermark = facts.watermark();
      assertThat(start.voided())
          .as("%s", facts)
          .isEqualTo(watermark != null && watermark.next() != start.position());
      if (!start.commit()) {
        assertThat(facts.committed() != NONE || watermark != null).as("%s", facts).isTrue();
      }
      cases++;
    }
    assertThat(cases).isGreaterThan(1000);
  }

  private static long expected(Facts facts) {
    long committed = facts.committed();
    Watermark watermark = facts.watermark();
    OffsetMetadata metadata = facts.metadata();
    if (metadata != null) {
      if (watermark == null && committed <= facts.logEnd()) {
        return clamped(metadata.startOffset() == NONE ? committed : metadata.startOffset(), facts);
      }
      if (watermark != null && watermark.next() <= facts.logEnd()) {
        return clamped(watermark.next(), facts);
      }
    }
    if (watermark != null && watermark.next() <= facts.logEnd()) {
      boolean noReset = watermark.committed() <= committed && committed <= watermark.next();
      if (committed == NONE || noReset) {
        return clamped(watermark.next(), facts);
      }
    }
    if (committed != NONE) {
      return clamped(committed, facts);
    }
    boolean latest =
        facts.policy() == ResetPolicy.LATEST && !facts.topicKnown() && watermark == null;
    return latest ? facts.logEnd() : facts.logStart();
  }

  private static long clamped(long offset, Facts facts) {
    return offset < facts.logStart() || offset > facts.logEnd() ? facts.logStart() : offset;
  }

  /// No metadata, and every metadata that this store may have written with the offset.
  private static List<@Nullable OffsetMetadata> metadataOf(long committed) {
    var metadataFormat = new ArrayList<@Nullable OffsetMetadata>();
    metadataFormat.add(null);
    for (long startOffset = NONE; startOffset <= committed; startOffset++) {
      metadataFormat.add(new OffsetMetadata("store", "uuid", startOffset));
    }
    return committed == NONE ? metadataFormat.subList(0, 1) : metadataFormat;
  }

  private static List<Facts> everyCase() {
    var watermarks = new ArrayList<@Nullable Watermark>();
    watermarks.add(null);
    for (long next = 0; next <= 7; next++) {
      for (long acknowledged = NONE; acknowledged <= next; acknowledged++) {
        watermarks.add(new Watermark(PARTITION, next, acknowledged));
      }
    }
    var cases = new ArrayList<Facts>();
    for (Watermark watermark : watermarks) {
      for (long committed = NONE; committed <= 7; committed++) {
        for (ResetPolicy policy : ResetPolicy.values()) {
          for (OffsetMetadata metadata : metadataOf(committed)) {
            cases.add(new Facts(committed, watermark, true, policy, 2, 5, metadata));
            cases.add(new Facts(committed, watermark, false, policy, 2, 5, metadata));
            cases.add(new Facts(committed, watermark, false, policy, 0, 0, metadata));
          }
        }
      }
    }
    return cases;
  }
}
