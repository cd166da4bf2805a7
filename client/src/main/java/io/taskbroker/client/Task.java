package io.taskbroker.client;

import io.taskbroker.client.codec.PayloadCodec;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A kind of work: its name, the type of its argument, and the options of its calls. A value,
/// usually in a constant that producers and workers share:
///
/// ```java
/// record Receipt(String order, String email) {}
///
/// static final Task<Receipt> SEND_RECEIPT =
///     Task.of("send-receipt", Receipt.class).retry(RetryPolicy.fixed(3, Duration.ofMinutes(1)));
/// ```
///
/// Name and namespace are the contract between producers and workers, in any language: renaming a
/// class or method does not break calls that are under way. The options travel with each call, so
/// that a change of them applies to calls enqueued from then on. Immutable.
///
/// @param <T> type of the argument: a record, or what the codec can encode
public final class Task<T> {
  private static final int MAX_NAME = 255;

  private final String name;
  private final Class<T> type;
  private final @Nullable TaskHandler<T> handler;
  private final Options options;

  private record Options(
      String application,
      String namespace,
      Duration deadline,
      @Nullable Duration expiry,
      RetryPolicy retry,
      boolean atMostOnce,
      @Nullable PayloadCodec codec) {
    private static final Options DEFAULT =
        new Options(
            "default", "default", Duration.ofSeconds(30), null, RetryPolicy.DEFAULT, false, null);
  }

  private Task(String name, Class<T> type, @Nullable TaskHandler<T> handler, Options options) {
    this.name = name;
    this.type = type;
    this.handler = handler;
    this.options = options;
  }

  /// A task without code here: for producers, and for workers that bind the code by
  /// [Worker.Builder#handle].
  ///
  /// @param name 1 to 255 characters without control characters
  public static <T> Task<T> of(String name, Class<T> type) {
    return new Task<>(checked("name", name), type, null, Options.DEFAULT);
  }

  /// A task with its code.
  public static <T> Task<T> of(String name, Class<T> type, TaskHandler.OfArgument<T> handler) {
    return of(name, type, (argument, context) -> handler.run(argument));
  }

  /// A task with its code, which uses the context.
  public static <T> Task<T> of(String name, Class<T> type, TaskHandler<T> handler) {
    return new Task<>(checked("name", name), type, handler, Options.DEFAULT);
  }

  /// A call with this argument, to be enqueued.
  public TaskCall<T> with(T argument) {
    return TaskCall.of(this, argument);
  }

  /// Worker pool that runs it; `default` if not given.
  public Task<T> application(String application) {
    return with(
        new Options(
            checked("application", application),
            options.namespace,
            options.deadline,
            options.expiry,
            options.retry,
            options.atMostOnce,
            options.codec));
  }

  /// Group of tasks of the application; `default` if not given.
  public Task<T> namespace(String namespace) {
    return with(
        new Options(
            options.application,
            checked("namespace", namespace),
            options.deadline,
            options.expiry,
            options.retry,
            options.atMostOnce,
            options.codec));
  }

  /// How long one attempt may take, from 1 s to 7 days, rounded up to seconds; 30 s if not given.
  public Task<T> deadline(Duration deadline) {
    if (deadline.compareTo(Duration.ofSeconds(1)) < 0
        || deadline.compareTo(Duration.ofDays(7)) > 0) {
      throw new IllegalArgumentException(
          "Task " + name + ": deadline must be 1 s to 7 days, not " + deadline);
    }
    return with(
        new Options(
            options.application,
            options.namespace,
            deadline,
            options.expiry,
            options.retry,
            options.atMostOnce,
            options.codec));
  }

  /// A call that no worker has taken after this time does not run, and meets its failure policy:
  /// dead letter or discard. Never if not given.
  public Task<T> expiresAfter(Duration expiry) {
    TaskCall.requirePositive("expiresAfter", expiry);
    return with(
        new Options(
            options.application,
            options.namespace,
            options.deadline,
            expiry,
            options.retry,
            options.atMostOnce,
            options.codec));
  }

  /// Policy for failed attempts; [RetryPolicy#DEFAULT] if not given.
  public Task<T> retry(RetryPolicy retry) {
    return with(
        new Options(
            options.application,
            options.namespace,
            options.deadline,
            options.expiry,
            retry,
            options.atMostOnce,
            options.codec));
  }

  /// Delivered once at most: a worker that dies with a call, or overruns its deadline, counts as a
  /// failure without retry. A failure that the handler reports is retried.
  public Task<T> atMostOnce() {
    return with(
        new Options(
            options.application,
            options.namespace,
            options.deadline,
            options.expiry,
            options.retry,
            true,
            options.codec));
  }

  /// Encoding of arguments and results, in place of the client's.
  public Task<T> codec(PayloadCodec codec) {
    return with(
        new Options(
            options.application,
            options.namespace,
            options.deadline,
            options.expiry,
            options.retry,
            options.atMostOnce,
            codec));
  }

  public String name() {
    return name;
  }

  public Class<T> type() {
    return type;
  }

  public String application() {
    return options.application;
  }

  public String namespace() {
    return options.namespace;
  }

  public Duration deadline() {
    return options.deadline;
  }

  public Optional<Duration> expiry() {
    return Optional.ofNullable(options.expiry);
  }

  public RetryPolicy retry() {
    return options.retry;
  }

  public boolean isAtMostOnce() {
    return options.atMostOnce;
  }

  public Optional<PayloadCodec> codec() {
    return Optional.ofNullable(options.codec);
  }

  /// Its code, if it was defined with it.
  public Optional<TaskHandler<T>> handler() {
    return Optional.ofNullable(handler);
  }

  @Override
  public String toString() {
    return "Task[" + options.namespace + "/" + name + "]";
  }

  private Task<T> with(Options changed) {
    return new Task<>(name, type, handler, changed);
  }

  static String checked(String what, String value) {
    if (value.isEmpty()
        || value.length() > MAX_NAME
        || value.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          what + " must have 1 to " + MAX_NAME + " characters, none of them control characters");
    }
    return value;
  }
}
