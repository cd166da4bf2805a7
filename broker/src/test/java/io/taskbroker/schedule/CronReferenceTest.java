package io.taskbroker.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Slots of cron expressions against a reference that tries each day, hour and minute.
final class CronReferenceTest {
  private static final List<String> DAYS = List.of("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT");
  private static final List<String> MONTHS =
      List.of("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC");

  private final Random random = new Random(20_261_130);

  /// Days of the week are those where implementations differ: 0 and 7, and ranges up to them.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0 0 * * 5-7",
        "0 0 * * 0-7",
        "0 0 * * 1-7",
        "0 0 * * 6-7",
        "0 0 * * 0-6",
        "0 0 * * 0-3",
        "0 0 * * 0,6",
        "0 0 * * 6,7",
        "0 0 * * 0,3-5",
        "0 0 * * 1-5",
        "0 0 * * MON-FRI",
        "0 0 * * SUN",
        "0 0 * * FRI-SUN",
        "0 0 * * */2",
        "0 0 * * 1-5/2",
        "0 0 * * 0-6/3",
        "0 0 * * sat",
        "0 0 1 JAN *",
        "0 0 1 feb-apr *",
        "0 0 13 * 5",
        "0 0 31 * 1-5",
        "0 0 29 2 *",
        "5-59/20 */7 1-31/10 */5 *",
        "0-59 0-23 * * *",
        "*/59 23 * * *",
        "0,0,1 1,1 * * *",
        "00 007 01 1 *"
      })
  void slotsOf(String expression) {
    check(expression);
  }

  @ValueSource(strings = {"0 0 * * SUN-TUE", "0 0 * * 5-2", "0 22-3 * * *", "0 0 * DEC-FEB *"})
  @ParameterizedTest
  void rangesDoNotWrap(String expression) {
    assertThatThrownBy(() -> CronTimes.of(expression, "UTC")).hasMessageContaining("range");
  }

  @Test
  void slotsOfAnyExpression() {
    for (int i = 0; i < 300; i++) {
      check(field(0, 59) + " " + field(0, 23) + " " + field(1, 28) + " " + field(1, 12) + " *");
      check(field(0, 59) + " " + field(0, 23) + " * " + field(1, 12) + " " + field(0, 7));
    }
  }

  private String field(int min, int max) {
    var text = new StringBuilder();
    int parts = 1 + random.nextInt(3);
    for (int i = 0; i < parts; i++) {
      int from = random.nextInt(min, max + 1);
      int to = random.nextInt(from, max + 1);
      int step = random.nextInt(1, Math.max(2, (max - min) / 2));
      text.append(i == 0 ? "" : ",")
          .append(
              switch (random.nextInt(4)) {
                case 0 -> from == to ? "" + from : from + "-" + to;
                case 1 -> from == to ? "" + from : from + "-" + to + "/" + step;
                default -> "" + from;
              });
    }
    return switch (random.nextInt(6)) {
      case 0 -> "*";
      case 1 -> "*/" + random.nextInt(1, (max - min) / 2 + 1);
      default -> text.toString();
    };
  }

  private void check(String expression) {
    CronTimes cron = CronTimes.of(expression, "UTC");
    LocalDateTime expected =
        LocalDateTime.of(2027, 1, 1, 0, 0).plusMinutes(random.nextInt(2 * 365 * 1_440));
    for (int i = 0; i < 5; i++) {
      long after = expected.toInstant(ZoneOffset.UTC).toEpochMilli();
      expected = next(expression, expected);
      assertThat(Instant.ofEpochMilli(cron.next(after)))
          .as("%s after %s", expression, Instant.ofEpochMilli(after))
          .isEqualTo(expected.toInstant(ZoneOffset.UTC));
    }
  }

  private static LocalDateTime next(String expression, LocalDateTime after) {
    String[] fields = expression.toUpperCase(Locale.ROOT).split(" ", -1);
    BitSet minutes = values(fields[0], 0, 59, List.of());
    BitSet hours = values(fields[1], 0, 23, List.of());
    BitSet days = values(fields[2], 1, 31, List.of());
    BitSet months = values(fields[3], 1, 12, MONTHS);
    BitSet weekdays = values(fields[4], 0, 7, DAYS);
    boolean either = !fields[2].equals("*") && !fields[4].equals("*");
    LocalDateTime time = after.truncatedTo(ChronoUnit.MINUTES).plusMinutes(1);
    while (true) {
      int weekday = time.getDayOfWeek().getValue();
      boolean inWeek = weekdays.get(weekday) || (weekday == 7 && weekdays.get(0));
      boolean inMonth = days.get(time.getDayOfMonth());
      if (!months.get(time.getMonthValue())
          || (either ? !inWeek && !inMonth : !inWeek || !inMonth)) {
        time = time.truncatedTo(ChronoUnit.DAYS).plusDays(1);
      } else if (!hours.get(time.getHour())) {
        time = time.truncatedTo(ChronoUnit.HOURS).plusHours(1);
      } else if (!minutes.get(time.getMinute())) {
        time = time.plusMinutes(1);
      } else {
        return time;
      }
    }
  }

  private static BitSet values(String field, int min, int max, List<String> names) {
    var values = new BitSet();
    for (String part : field.split(",", -1)) {
      String[] step = part.split("/", -1);
      String[] range = step[0].split("-", -1);
      boolean all = range[0].equals("*");
      int from = all ? min : value(range[0], min, names);
      int to = all ? max : value(range[range.length - 1], min, names);
      if (to < from && names.equals(DAYS)) {
        to += 7; // FRI-SUN
      }
      int by = step.length > 1 ? Integer.parseInt(step[1]) : 1;
      for (int i = from; i <= to; i += by) {
        values.set(i > max ? i - 7 : i);
      }
    }
    return values;
  }

  private static int value(String text, int min, List<String> names) {
    int name = names.indexOf(text);
    return name < 0 ? Integer.parseInt(text) : name + min;
  }
}
