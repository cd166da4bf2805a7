package io.taskbroker.client;

import java.time.Instant;
import java.util.Map;

/// One attempt, as its handler sees it. Thread-safe; of no use after the handler returned.
public interface TaskContext {
  /// Id of the task: the same in each attempt.
  String id();

  /// Name of the task.
  String name();

  String namespace();

  String application();

  /// Number of this attempt: 1 for the first.
  int attempt();

  /// Attempts that the retry policy allows in all.
  int maxAttempts();

  /// Whether a failure of this attempt is the end.
  default boolean isLastAttempt() {
    return attempt() >= maxAttempts();
  }

  /// Identity of this delivery, to be passed on as a fencing token.
  AttemptToken token();

  /// When this attempt is cancelled; moved by each heartbeat.
  Instant deadline();

  /// Headers of the call. Immutable.
  Map<String, String> headers();

  /// Request to stop this attempt.
  Cancellation cancellation();

  /// Says that the attempt goes on: the deadline counts anew from now. Returns at once. A handler
  /// that works through many items calls it for each; the client sends a few a second.
  void heartbeat();

  /// Heartbeat that also shows how far the attempt is, for people, at most 1 KiB.
  void progress(String text);

  /// Sets the result of the call, kept if the caller [asked for it][TaskCall#keepResult]. The last
  /// one counts. Encoded as arguments are, at most 64 KiB.
  ///
  /// @throws IllegalArgumentException if it is larger, or cannot be encoded
  void result(Object result);
}
