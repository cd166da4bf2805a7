package io.taskbroker.client.spi;

import com.google.protobuf.ByteString;
import io.taskbroker.client.Cancellation;
import io.taskbroker.client.FinalFailureException;
import io.taskbroker.client.RetryLaterException;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskHandler;
import io.taskbroker.client.TaskMiddleware;
import io.taskbroker.client.codec.Payloads;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.Released;
import io.taskbroker.protocol.v1.Result;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/// Runs attempts: decodes the argument, calls middleware and handler, and makes the result of what
/// they did. Thread-safe.
public final class TaskRunner {
  private static final Logger log = LoggerFactory.getLogger(TaskRunner.class);
  private static final int MAX_MESSAGE = 4 << 10;
  private static final int MAX_CAUSES = 5;

  private final Map<Key, Binding<?>> bindings;
  private final List<TaskMiddleware> middleware;
  private final Payloads payloads;

  private record Key(String namespace, String name) {
    @Override
    public String toString() {
      return namespace + "/" + name;
    }
  }

  /// A task and its code.
  public record Binding<T>(Task<T> task, TaskHandler<T> handler) {}

  /// @throws IllegalArgumentException if a task is bound twice
  public TaskRunner(List<Binding<?>> bindings, List<TaskMiddleware> middleware, Payloads payloads) {
    this.bindings = new HashMap<>();
    for (Binding<?> each : bindings) {
      Key key = new Key(each.task().namespace(), each.task().name());
      if (this.bindings.put(key, each) != null) {
        throw new IllegalArgumentException("Two handlers for the task " + key);
      }
    }
    this.middleware = List.copyOf(middleware);
    this.payloads = payloads;
  }

  /// Names of the tasks, as `namespace/name`.
  public Set<String> names() {
    Set<String> names = new TreeSet<>();
    bindings.keySet().forEach(key -> names.add(key.toString()));
    return names;
  }

  /// Whether the task may be given back when its attempt is interrupted by the end of the worker.
  private static boolean mayRunAgain(Attempt attempt) {
    return !attempt.task().getRetry().getAtMostOnce();
  }

  /// Runs an attempt on the current thread. Never throws.
  public Result run(Attempt attempt) {
    MDC.put("task.id", attempt.id());
    MDC.put("task.name", attempt.name());
    MDC.put("task.attempt", Integer.toString(attempt.attempt()));
    try {
      return runLogged(attempt);
    } finally {
      MDC.remove("task.id");
      MDC.remove("task.name");
      MDC.remove("task.attempt");
    }
  }

  /// The result of an attempt that was not begun.
  public static Result released(Attempt attempt) {
    return result(attempt).setReleased(Released.getDefaultInstance()).build();
  }

  private Result runLogged(Attempt attempt) {
    attempt.begin();
    try {
      Binding<?> binding = bindings.get(new Key(attempt.namespace(), attempt.name()));
      if (binding == null) {
        String message =
            "No handler for the task %s/%s in this worker, which has %s"
                .formatted(attempt.namespace(), attempt.name(), names());
        log.warn("{}; its retry policy decides about task {}", message, attempt.id());
        return failed(attempt, Failed.newBuilder().setMessage(Attempt.cut(message, MAX_MESSAGE)));
      }
      run(binding, attempt);
      return result(attempt).setCompleted(completed(attempt.encodedResult())).build();
    } catch (Throwable e) {
      return ofFailure(attempt, e);
    } finally {
      attempt.end();
    }
  }

  private static Completed completed(byte[] result) {
    return result.length == 0
        ? Completed.getDefaultInstance()
        : Completed.newBuilder().setResult(ByteString.copyFrom(result)).build();
  }

  private <T> void run(Binding<T> binding, Attempt attempt) throws Exception {
    T argument;
    try {
      argument =
          payloads.decode(
              attempt.task().getArguments().toByteArray(),
              jsonCall(attempt),
              attempt.headers(),
              binding.task().type(),
              binding.task().codec());
    } catch (IllegalArgumentException | LinkageError e) {
      throw new FinalFailureException(
          "Could not read the argument of task " + attempt.id() + ": " + e.getMessage(), e);
    }
    TaskMiddleware.Attempt chain = () -> binding.handler().run(argument, attempt);
    for (int i = middleware.size() - 1; i >= 0; i--) {
      TaskMiddleware each = middleware.get(i);
      TaskMiddleware.Attempt next = chain;
      chain = () -> each.around(attempt, next);
    }
    chain.run();
  }

  @SuppressWarnings("deprecation") // Old publishers to Kafka still write it.
  private static String jsonCall(Attempt attempt) {
    return attempt.task().getJsonArguments();
  }

  private static Result ofFailure(Attempt attempt, Throwable e) {
    Optional<Cancellation.Reason> stopped = attempt.cancellation().reason();
    if (stopped.equals(Optional.of(Cancellation.Reason.WORKER_STOPS)) && mayRunAgain(attempt)) {
      log.info("Gave task {} ({}) back: the worker stops", attempt.id(), attempt.name());
      return released(attempt);
    }
    Failed.Builder failed = Failed.newBuilder();
    String text = describe(e);
    if (stopped.isPresent()) {
      text = "Stopped (" + stopped.get() + "): " + text;
      log.warn("Task {} ({}) was {}", attempt.id(), attempt.name(), text);
    } else if (e instanceof RetryLaterException later) {
      failed.setRetryAfterMs(later.delay().toMillis());
      log.info(
          "Task {} ({}) asks for another attempt in {}: {}",
          attempt.id(),
          attempt.name(),
          later.delay(),
          later.getMessage());
    } else {
      failed.setFinal(e instanceof FinalFailureException);
      log.warn(
          "Attempt {} of {} of task {} ({}) failed",
          attempt.attempt(),
          attempt.maxAttempts(),
          attempt.id(),
          attempt.name(),
          e);
    }
    return failed(attempt, failed.setMessage(Attempt.cut(text, MAX_MESSAGE)));
  }

  /// The exception and its causes, without stack traces.
  private static String describe(Throwable e) {
    StringBuilder text = new StringBuilder(e.toString());
    Throwable cause = e.getCause();
    for (int i = 0; cause != null && i < MAX_CAUSES; i++) {
      text.append(" <- ").append(cause);
      cause = cause.getCause();
    }
    return text.toString();
  }

  private static Result failed(Attempt attempt, Failed.Builder failed) {
    return result(attempt).setFailed(failed).build();
  }

  private static Result.Builder result(Attempt attempt) {
    return Result.newBuilder().setId(attempt.id()).setToken(attempt.delivery().getToken());
  }
}
