package io.taskbroker.schedule;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import org.jspecify.annotations.Nullable;

/// Slots at the times of a cron expression, in a time zone. The library finds local times; this
/// class maps them to moments, so that changes of the clock are treated as docs/schedules.md says.
///
/// - Times of a given hour: one that the clock skips is moved to the end of the gap, one that
///   occurs twice counts the first time.
/// - Any hour (`*`): the expression is compared with the clock on the wall as time passes, so that
///   a skipped hour has no slots, and one that occurs twice has them twice.
final class CronTimes implements SlotTimes {
  private static final int MAX_EXPRESSION = 255;
  private static final int FIELDS = 5;
  private static final long MINUTE = 60_000;

  /// A date occurs within 40 years or never: February 29th on a given day of the week takes that
  /// long around a year without it.
  private static final int MAX_YEARS = 40;

  private static final CronParser PARSER =
      new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX));

  private final ExecutionTime local;
  private final ZoneRules clock;
  private final ZoneId zone;
  private final boolean anyHour;

  private CronTimes(ExecutionTime local, ZoneId zone, boolean anyHour) {
    this.local = local;
    this.clock = zone.getRules();
    this.zone = zone;
    this.anyHour = anyHour;
  }

  /// @param zone IANA name
  /// @throws IllegalArgumentException if either is invalid; the message says why
  static CronTimes of(String expression, String zone) {
    String[] fields = expression.strip().split("\\s+");
    if (expression.length() > MAX_EXPRESSION || fields.length != FIELDS) {
      throw new IllegalArgumentException(
          "cron.expression must have five fields (minute, hour, day of month, month, day of week)"
              + " and at most 255 characters");
    }
    ZoneId found;
    try {
      found = ZoneId.of(zone);
    } catch (DateTimeException _) {
      throw new IllegalArgumentException(
          "cron.time_zone must be an IANA name such as Europe/Vienna, and is not known: " + zone);
    }
    try {
      var cron = PARSER.parse(String.join(" ", fields));
      return new CronTimes(ExecutionTime.forCron(cron), found, fields[1].equals("*"));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("cron.expression is invalid: " + e.getMessage(), e);
    }
  }

  @Override
  public long next(long time) {
    Instant after = Instant.ofEpochMilli(time);
    Instant slot = anyHour ? nextOfAnyHour(after) : nextOfGivenHours(after);
    return slot == null ? NONE : slot.toEpochMilli();
  }

  @Override
  public long shortest() {
    return MINUTE;
  }

  private @Nullable Instant nextOfGivenHours(Instant after) {
    LocalDateTime candidate = LocalDateTime.ofInstant(after, zone);
    while (true) {
      candidate = nextLocal(candidate);
      if (candidate == null) {
        return null;
      }
      Instant slot = moment(candidate);
      if (slot.isAfter(after)) {
        return slot;
      }
    }
  }

  private Instant moment(LocalDateTime time) {
    ZoneOffsetTransition change = clock.getTransition(time);
    if (change == null) {
      return time.toInstant(clock.getOffset(time));
    }
    return change.isGap() ? change.getInstant() : time.toInstant(change.getOffsetBefore());
  }

  private @Nullable Instant nextOfAnyHour(Instant after) {
    Instant from = after;
    LocalDateTime shown = LocalDateTime.ofInstant(from, zone);
    while (true) {
      LocalDateTime candidate = nextLocal(shown);
      if (candidate == null) {
        return null;
      }
      Instant slot = candidate.toInstant(clock.getOffset(from));
      ZoneOffsetTransition change = clock.nextTransition(from);
      if (change == null || slot.isBefore(change.getInstant())) {
        return slot;
      }
      // From what the clock shows after the change, that moment included.
      from = change.getInstant();
      shown = change.getDateTimeAfter().minusSeconds(1);
    }
  }

  /// The first matching local time after another one; null if there is none for [#MAX_YEARS].
  private @Nullable LocalDateTime nextLocal(LocalDateTime after) {
    return local
        .nextExecution(after.atZone(ZoneOffset.UTC))
        .map(ZonedDateTime::toLocalDateTime)
        .filter(found -> found.isBefore(after.plusYears(MAX_YEARS)))
        .orElse(null);
  }
}
