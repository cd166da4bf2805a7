package io.taskbroker.client;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A call of a task, not yet enqueued: argument and the options of this one call. Immutable.
///
/// ```java
/// client.enqueue(SEND_RECEIPT.with(receipt).delay(Duration.ofMinutes(5)).idempotencyKey(order));
/// ```
///
/// @param <T> type of the argument
public final class TaskCall<T> {
  private final Task<T> task;
  private final T argument;
  private final Map<String, String> headers;
  private final Options options;

  /// @param id chosen by the caller
  /// @param key idempotency key; excludes `id`
  private record Options(
      @Nullable String id,
      @Nullable String key,
      @Nullable Duration delay,
      @Nullable Instant at,
      @Nullable Duration remember,
      boolean keepResult,
      int priority) {
    private static final Options DEFAULT = new Options(null, null, null, null, null, false, 0);
  }

  private TaskCall(Task<T> task, T argument, Map<String, String> headers, Options options) {
    this.task = task;
    this.argument = argument;
    this.headers = headers;
    this.options = options;
  }

  static <T> TaskCall<T> of(Task<T> task, T argument) {
    return new TaskCall<>(task, argument, Map.of(), Options.DEFAULT);
  }

  /// Id of the call, unique; chosen by the client if not given. A second call of the same id is not
  /// enqueued while the first is in flight or [remembered][#rememberFor].
  public TaskCall<T> id(String id) {
    return with(
        new Options(
            Task.checked("id", id),
            null,
            options.delay,
            options.at,
            options.remember,
            options.keepResult,
            options.priority));
  }

  /// Key of the caller, such as an order number, from which the broker derives the id within
  /// application and namespace. In place of [an id][#id].
  public TaskCall<T> idempotencyKey(String key) {
    return with(
        new Options(
            null,
            Task.checked("idempotencyKey", key),
            options.delay,
            options.at,
            options.remember,
            options.keepResult,
            options.priority));
  }

  /// Not run before so much time has passed since the broker accepted it, in milliseconds. A
  /// fraction of a second counts from the enqueue by the clock of this process.
  public TaskCall<T> delay(Duration delay) {
    if (delay.isNegative()) {
      throw new IllegalArgumentException("delay must not be negative, but is " + delay);
    }
    return with(
        new Options(
            options.id,
            options.key,
            delay,
            null,
            options.remember,
            options.keepResult,
            options.priority));
  }

  /// Not run before this time, in milliseconds. In place of [a delay][#delay].
  public TaskCall<T> at(Instant time) {
    return with(
        new Options(
            options.id,
            options.key,
            null,
            time,
            options.remember,
            options.keepResult,
            options.priority));
  }

  /// For how long the broker remembers the call after its end, at most 7 days: a call of the same
  /// id or key is not run again in this time, and its outcome can be asked for.
  public TaskCall<T> rememberFor(Duration time) {
    requirePositive("rememberFor", time);
    return with(
        new Options(
            options.id,
            options.key,
            options.delay,
            options.at,
            time,
            options.keepResult,
            options.priority));
  }

  /// Keeps the [result][TaskContext#result] as long as the call is [remembered][#rememberFor].
  public TaskCall<T> keepResult() {
    return with(
        new Options(
            options.id,
            options.key,
            options.delay,
            options.at,
            options.remember,
            true,
            options.priority));
  }

  /// Runs before calls of lower priority that the broker has for the same application: -4 to 4,
  /// where 4 goes first and 0 is normal.
  public TaskCall<T> priority(int priority) {
    if (priority < -4 || priority > 4) {
      throw new IllegalArgumentException("priority must be -4 to 4, but is " + priority);
    }
    return with(
        new Options(
            options.id,
            options.key,
            options.delay,
            options.at,
            options.remember,
            options.keepResult,
            priority));
  }

  /// Adds a header: for middleware and handler, not read by the broker. At most 64 of 16 KiB in
  /// all; `taskbroker-…`, `content-type` and `compression-type` are reserved.
  public TaskCall<T> header(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new TaskCall<>(task, argument, Map.copyOf(more), options);
  }

  public Task<T> task() {
    return task;
  }

  public T argument() {
    return argument;
  }

  public Map<String, String> headers() {
    return headers;
  }

  public Optional<String> id() {
    return Optional.ofNullable(options.id);
  }

  public Optional<String> idempotencyKey() {
    return Optional.ofNullable(options.key);
  }

  public Optional<Duration> delay() {
    return Optional.ofNullable(options.delay);
  }

  public Optional<Instant> at() {
    return Optional.ofNullable(options.at);
  }

  public Optional<Duration> remember() {
    return Optional.ofNullable(options.remember);
  }

  public boolean keepsResult() {
    return options.keepResult;
  }

  public int priority() {
    return options.priority;
  }

  /// Without the argument, which may be confidential.
  @Override
  public String toString() {
    return "TaskCall["
        + task.namespace()
        + "/"
        + task.name()
        + id().map(id -> " " + id).orElse("")
        + "]";
  }

  private TaskCall<T> with(Options changed) {
    return new TaskCall<>(task, argument, headers, changed);
  }

  static void requirePositive(String what, Duration time) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException(what + " must be positive, but is " + time);
    }
  }
}
