package io.taskbroker.cli;

import com.google.protobuf.Timestamp;
import io.taskbroker.protocol.v1.Cron;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.Task;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// Options that describe a schedule.
final class ScheduleOptions {
  /// Times of the slots.
  static final class Times {
    @ArgGroup(multiplicity = "1")
    private Kind kind = new Kind();

    @Option(
        names = "--zone",
        paramLabel = "ZONE",
        defaultValue = "UTC",
        description = "With --cron: time zone such as Europe/Vienna (default: ${DEFAULT-VALUE}).")
    private String zone = "UTC";

    @Option(
        names = "--phase",
        paramLabel = "TIME",
        converter = DurationOption.class,
        description = "With --every: offset of the slots, counted from 1970.")
    private @Nullable Duration phase;

    @Option(
        names = "--start",
        paramLabel = "TIME",
        converter = Moment.class,
        description = "No slot before, in ISO 8601.")
    private @Nullable Instant start;

    @Option(
        names = "--end",
        paramLabel = "TIME",
        converter = Moment.class,
        description = "No slot from then on.")
    private @Nullable Instant end;

    @Option(
        names = "--jitter",
        paramLabel = "TIME",
        converter = DurationOption.class,
        description = "Delays each slot by up to so much.")
    private @Nullable Duration jitter;

    private static final class Kind {
      @Option(
          names = "--cron",
          paramLabel = "EXPRESSION",
          description = "Minute, hour, day of month, month, day of week, such as '30 2 * * *'.")
      private @Nullable String cron;

      @Option(
          names = "--every",
          paramLabel = "TIME",
          converter = DurationOption.class,
          description = "Interval such as 10s or 5m.")
      private @Nullable Duration every;
    }

    void into(Schedule.Builder schedule) {
      if (kind.cron != null) {
        schedule.setCron(Cron.newBuilder().setExpression(kind.cron).setTimeZone(zone));
      } else if (kind.every != null) {
        schedule.setEvery(wire(kind.every));
      }
      if (phase != null) {
        schedule.setPhase(wire(phase));
      }
      if (start != null) {
        schedule.setStart(wire(start));
      }
      if (end != null) {
        schedule.setEnd(wire(end));
      }
      if (jitter != null) {
        schedule.setJitter(wire(jitter));
      }
    }

    private static com.google.protobuf.Duration wire(Duration duration) {
      return com.google.protobuf.Duration.newBuilder()
          .setSeconds(duration.getSeconds())
          .setNanos(duration.getNano())
          .build();
    }

    private static Timestamp wire(Instant moment) {
      return Timestamp.newBuilder()
          .setSeconds(moment.getEpochSecond())
          .setNanos(moment.getNano())
          .build();
    }
  }

  /// A point in time, past or to come.
  private static final class Moment implements ITypeConverter<Instant> {
    @Override
    public Instant convert(String text) {
      try {
        return Instant.parse(text);
      } catch (DateTimeParseException e) {
        throw new TypeConversionException(
            "'%s' is no time such as 2027-01-01T00:00:00Z".formatted(text));
      }
    }
  }

  /// What to do about missed slots.
  enum Missed {
    LATEST(MissedSlots.MISSED_SLOTS_LATEST),
    SKIP(MissedSlots.MISSED_SLOTS_SKIP),
    ALL(MissedSlots.MISSED_SLOTS_ALL);

    final MissedSlots wire;

    Missed(MissedSlots wire) {
      this.wire = wire;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--missed",
      defaultValue = "latest",
      description =
          "What becomes of slots that pass while no broker runs: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private Missed missed = Missed.LATEST;

  @Option(
      names = "--missed-limit",
      paramLabel = "N",
      description = "With --missed all: how many run late (default: 100).")
  private int missedLimit;

  @Option(names = "--description", paramLabel = "TEXT", description = "For people.")
  private String description = "";

  @Mixin private TaskOptions options = new TaskOptions();

  @Option(
      names = "--arguments",
      paramLabel = "JSON",
      description = "The arguments as they are, in place of --arg.")
  private @Nullable String json;

  @Option(names = "--header", paramLabel = "KEY=VALUE", description = "A header of the task.")
  private Map<String, String> headers = new LinkedHashMap<>();

  @Option(
      names = "--deadline",
      paramLabel = "TIME",
      converter = DurationOption.class,
      description = "How long an attempt may take.")
  private @Nullable Duration deadline;

  @Option(
      names = "--expires",
      paramLabel = "TIME",
      converter = DurationOption.class,
      description = "Not run later than this after.")
  private @Nullable Duration expires;

  @Option(
      names = "--attempts",
      defaultValue = "1",
      description = "How often it is tried at most (default: ${DEFAULT-VALUE}).")
  private int attempts;

  @Option(names = "--at-most-once", description = "Never delivers it twice.")
  private boolean atMostOnce;

  @Option(names = "--dead-letter", description = "Keeps a task that failed as a dead letter.")
  private boolean deadLetter;

  void into(Schedule.Builder schedule, String taskName) {
    schedule.setMissed(missed.wire).setMissedLimit(missedLimit).setDescription(description);
    Task.Builder task = schedule.getTaskBuilder().setName(taskName).putAllHeaders(headers);
    options.into(task, json);
    if (deadline != null) {
      task.setDeadlineSeconds(deadline.toSeconds());
    }
    if (expires != null) {
      task.setExpiresSeconds(expires.toSeconds());
    }
    task.getRetryBuilder()
        .setMaxAttempts(attempts)
        .setAtMostOnce(atMostOnce)
        .setOnFailure(deadLetter ? OnFailure.ON_FAILURE_DEAD_LETTER : OnFailure.ON_FAILURE_DISCARD);
  }
}
