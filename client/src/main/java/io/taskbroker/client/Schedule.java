package io.taskbroker.client;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A schedule that the broker keeps: it enqueues a call at each of its times, exactly once,
/// whatever happens to brokers and clients. Immutable; two schedules of one name replace each
/// other.
///
/// ```java
/// client.schedules().upsert(
///     Schedule.cron("nightly", "30 2 * * *", ZoneId.of("Europe/Vienna"), REPORT.with(DAILY)));
/// ```
public final class Schedule {
  private final String name;
  private final TaskCall<?> call;
  private final @Nullable String cron;
  private final @Nullable ZoneId zone;
  private final @Nullable Duration every;
  private final Options options;

  private record Options(
      @Nullable Duration phase,
      @Nullable Instant start,
      @Nullable Instant end,
      @Nullable Duration jitter,
      Missed missed,
      int missedLimit,
      String description) {
    private static final Options DEFAULT =
        new Options(null, null, null, null, Missed.LATEST, 0, "");
  }

  /// Treatment of times that passed while no broker ran.
  public enum Missed {
    /// The latest of them runs, however late; the others are skipped.
    LATEST,
    /// All are skipped.
    SKIP,
    /// All run, in their order, the latest 100 at most, or as many as
    /// [given][Schedule#missedLimit].
    ALL
  }

  private Schedule(
      String name,
      TaskCall<?> call,
      @Nullable String cron,
      @Nullable ZoneId zone,
      @Nullable Duration every,
      Options options) {
    if (call.id().isPresent() || call.idempotencyKey().isPresent() || call.at().isPresent()) {
      throw new IllegalArgumentException(
          "The call of a schedule must have no id, key or time: it would be the same each time");
    }
    if (call.delay().filter(delay -> delay.toNanosPart() > 0).isPresent()) {
      throw new IllegalArgumentException("The delay of a scheduled call must be in whole seconds");
    }
    this.name = Task.checked("name", name);
    this.call = call;
    this.cron = cron;
    this.zone = zone;
    this.every = every;
    this.options = options;
  }

  /// Times of a cron expression in a time zone.
  ///
  /// @param name 1 to 200 bytes
  /// @param expression five fields as in Unix: minute, hour, day of month, month, day of week; the
  ///   broker refuses an invalid one
  public static Schedule cron(String name, String expression, ZoneId zone, TaskCall<?> call) {
    return new Schedule(name, call, expression, zone, null, Options.DEFAULT);
  }

  /// Times at an interval, counted from 1970.
  ///
  /// @param name 1 to 200 bytes
  /// @param interval 1 second to 366 days, in milliseconds
  public static Schedule every(String name, Duration interval, TaskCall<?> call) {
    TaskCall.requirePositive("interval", interval);
    return new Schedule(name, call, null, null, interval, Options.DEFAULT);
  }

  /// Offset of the times of an interval, in milliseconds, shorter than it.
  public Schedule phase(Duration phase) {
    return with(
        new Options(
            phase,
            options.start,
            options.end,
            options.jitter,
            options.missed,
            options.missedLimit,
            options.description));
  }

  /// No time before this one.
  public Schedule startAt(Instant start) {
    return with(
        new Options(
            options.phase,
            start,
            options.end,
            options.jitter,
            options.missed,
            options.missedLimit,
            options.description));
  }

  /// No time from this one on.
  public Schedule endAt(Instant end) {
    return with(
        new Options(
            options.phase,
            options.start,
            end,
            options.jitter,
            options.missed,
            options.missedLimit,
            options.description));
  }

  /// Delays each time by up to so much, in milliseconds; shorter than the distance of two times.
  public Schedule jitter(Duration jitter) {
    return with(
        new Options(
            options.phase,
            options.start,
            options.end,
            jitter,
            options.missed,
            options.missedLimit,
            options.description));
  }

  /// Treatment of missed times; [Missed#LATEST] if not given.
  public Schedule missed(Missed missed) {
    return with(
        new Options(
            options.phase,
            options.start,
            options.end,
            options.jitter,
            missed,
            options.missedLimit,
            options.description));
  }

  /// With [Missed#ALL]: how many run late, 1 to 1,000.
  public Schedule missedLimit(int limit) {
    if (limit < 1 || limit > 1_000) {
      throw new IllegalArgumentException("missedLimit must be 1 to 1,000, not " + limit);
    }
    return with(
        new Options(
            options.phase,
            options.start,
            options.end,
            options.jitter,
            options.missed,
            limit,
            options.description));
  }

  /// Text for people, at most 1,024 bytes.
  public Schedule description(String description) {
    return with(
        new Options(
            options.phase,
            options.start,
            options.end,
            options.jitter,
            options.missed,
            options.missedLimit,
            description));
  }

  public String name() {
    return name;
  }

  public TaskCall<?> call() {
    return call;
  }

  public Optional<String> cron() {
    return Optional.ofNullable(cron);
  }

  public Optional<ZoneId> zone() {
    return Optional.ofNullable(zone);
  }

  public Optional<Duration> every() {
    return Optional.ofNullable(every);
  }

  public Optional<Duration> phase() {
    return Optional.ofNullable(options.phase);
  }

  public Optional<Instant> start() {
    return Optional.ofNullable(options.start);
  }

  public Optional<Instant> end() {
    return Optional.ofNullable(options.end);
  }

  public Optional<Duration> jitter() {
    return Optional.ofNullable(options.jitter);
  }

  public Missed missed() {
    return options.missed;
  }

  /// 0 if not given.
  public int missedLimit() {
    return options.missedLimit;
  }

  public String description() {
    return options.description;
  }

  @Override
  public String toString() {
    return "Schedule[" + name + " " + (cron == null ? "every " + every : cron + " " + zone) + "]";
  }

  private Schedule with(Options changed) {
    return new Schedule(name, call, cron, zone, every, changed);
  }
}
