package io.taskbroker.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Slots of cron expressions, above all where clocks change: the table in docs/schedules.md.
final class CronTimesTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // A time that the clock skips runs at the end of the gap.
        "Europe/Vienna     | 30 2 * * *    | 2027-03-27T12:00:00Z | 2027-03-28T01:00:00Z"
            + " 2027-03-29T00:30:00Z",
        "America/New_York  | 30 2 * * *    | 2027-03-13T12:00:00Z | 2027-03-14T07:00:00Z"
            + " 2027-03-15T06:30:00Z",
        "Australia/Lord_Howe | 15 2 * * *  | 2027-10-02T00:00:00Z | 2027-10-02T15:30:00Z"
            + " 2027-10-03T15:15:00Z",
        // Several of them run once.
        "Europe/Vienna     | 0,30 2 * * *  | 2027-03-28T00:30:00Z | 2027-03-28T01:00:00Z"
            + " 2027-03-29T00:00:00Z",
        // So does one that coincides with the end of the gap.
        "Europe/Vienna     | 30 2,3 * * *  | 2027-03-28T00:00:00Z | 2027-03-28T01:00:00Z"
            + " 2027-03-28T01:30:00Z",
        "Europe/Vienna     | 0 2,3 * * *   | 2027-03-28T00:00:00Z | 2027-03-28T01:00:00Z"
            + " 2027-03-29T00:00:00Z",
        "Europe/Vienna     | 0 */2 * * *   | 2027-03-27T23:30:00Z | 2027-03-28T01:00:00Z"
            + " 2027-03-28T02:00:00Z",
        // A time that occurs twice runs once, the first time.
        "Europe/Vienna     | 30 2 * * *    | 2027-10-30T12:00:00Z | 2027-10-31T00:30:00Z"
            + " 2027-11-01T01:30:00Z",
        "America/New_York  | 30 1 * * *    | 2027-11-06T12:00:00Z | 2027-11-07T05:30:00Z"
            + " 2027-11-08T06:30:00Z",
        "Australia/Lord_Howe | 45 1 * * *  | 2027-04-03T00:00:00Z | 2027-04-03T14:45:00Z"
            + " 2027-04-04T15:15:00Z",
        // From within the second hour there is nothing left of it.
        "Europe/Vienna     | */20 2 * * *  | 2027-10-31T01:10:00Z | 2027-11-01T01:00:00Z"
            + " 2027-11-01T01:20:00Z",
        // Any hour: nothing in the skipped one, twice in the repeated one, one hour apart.
        "Europe/Vienna     | 30 * * * *    | 2027-03-28T00:00:00Z | 2027-03-28T00:30:00Z"
            + " 2027-03-28T01:30:00Z",
        "Europe/Vienna     | 30 * * * *    | 2027-10-31T00:00:00Z | 2027-10-31T00:30:00Z"
            + " 2027-10-31T01:30:00Z",
        "America/New_York  | 0 * * * *     | 2027-03-14T05:30:00Z | 2027-03-14T06:00:00Z"
            + " 2027-03-14T07:00:00Z",
        "America/New_York  | 0 * * * *     | 2027-11-07T04:30:00Z | 2027-11-07T05:00:00Z"
            + " 2027-11-07T06:00:00Z",
        "Australia/Lord_Howe | 15 * * * *  | 2027-10-02T14:50:00Z | 2027-10-02T16:15:00Z"
            + " 2027-10-02T17:15:00Z",
        // Leap days, ends of months, and days that are given in two ways.
        "UTC | 0 0 29 2 *   | 2027-01-01T00:00:00Z | 2028-02-29T00:00:00Z 2032-02-29T00:00:00Z",
        "UTC | 0 0 29 2 *   | 2096-03-01T00:00:00Z | 2104-02-29T00:00:00Z 2108-02-29T00:00:00Z",
        "UTC | 0 12 31 * *  | 2027-01-31T12:00:00Z | 2027-03-31T12:00:00Z 2027-05-31T12:00:00Z",
        "UTC | 59 23 31 12 * | 2027-01-01T00:00:00Z | 2027-12-31T23:59:00Z 2028-12-31T23:59:00Z",
        "UTC | 0 0 1 * 1    | 2027-05-30T00:00:00Z | 2027-05-31T00:00:00Z 2027-06-01T00:00:00Z",
        "UTC | 0 0 * * 0    | 2027-05-30T00:00:00Z | 2027-06-06T00:00:00Z 2027-06-13T00:00:00Z",
        "UTC | 0 0 * * 7    | 2027-05-30T00:00:00Z | 2027-06-06T00:00:00Z 2027-06-13T00:00:00Z",
        "Pacific/Apia | 0 12 30 12 * | 2011-12-01T00:00:00Z | 2011-12-30T10:00:00Z"
            + " 2012-12-29T22:00:00Z",
      })
  void slots(String zone, String expression, Instant after, String expected) {
    var cron = CronTimes.of(expression, zone);
    List<String> slots = new ArrayList<>();
    long slot = after.toEpochMilli();
    for (int i = 0; i < 2; i++) {
      slot = cron.next(slot);
      slots.add(Instant.ofEpochMilli(slot).toString());
    }
    assertThat(String.join(" ", slots)).isEqualTo(expected.strip());
  }

  /// Each slot is later than the one before, also from every moment between two slots.
  @ParameterizedTest
  @ValueSource(strings = {"Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "UTC"})
  void slotsAscendThroughAYear(String zone) {
    for (String expression : List.of("*/30 * * * *", "*/30 1-3 * * *", "15 */3 * * *")) {
      var cron = CronTimes.of(expression, zone);
      long slot = Instant.parse("2027-01-01T00:00:00Z").toEpochMilli();
      long end = Instant.parse("2028-01-01T00:00:00Z").toEpochMilli();
      while (slot < end) {
        long next = cron.next(slot);
        assertThat(next).isGreaterThan(slot);
        assertThat(cron.next(next - 1)).as("%s after one before", expression).isEqualTo(next);
        slot = next;
      }
    }
  }

  @Test
  void aDateThatNeverComesHasNoSlot() {
    assertThat(CronTimes.of("0 0 30 2 *", "UTC").next(0)).isEqualTo(SlotTimes.NONE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "* * * *",
        "* * * * * *",
        "@daily",
        "60 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "a b c d e",
        "0 0 L * *",
        "*/0 * * * *",
        "5-1 * * * *"
      })
  void invalidExpressionsAreRefused(String expression) {
    assertThatThrownBy(() -> CronTimes.of(expression, "UTC"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cron.expression");
  }

  @Test
  void unknownZonesAreRefused() {
    assertThatThrownBy(() -> CronTimes.of("0 0 * * *", "Europe/Nowhere"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Europe/Nowhere");
    assertThat(ZoneId.of("Europe/Vienna").getRules().isFixedOffset()).isFalse();
  }
}
