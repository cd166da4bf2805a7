package io.taskbroker.client;

import io.taskbroker.client.codec.Payloads;
import java.util.Arrays;
import java.util.Optional;

/// Outcome of a task: how it ended, and its result or failure message. Immutable.
public final class TaskOutcome {
  /// The ways to end.
  public enum Kind {
    COMPLETED,
    FAILED,
    CANCELLED,
    EXPIRED,
    /// It ended; the broker does not remember how.
    UNKNOWN
  }

  private final String id;
  private final Kind kind;
  private final byte[] result;
  private final String message;
  private final Payloads payloads;

  /// @param result encoded; empty if there is none
  /// @param message why it failed; may be empty
  public TaskOutcome(String id, Kind kind, byte[] result, String message, Payloads payloads) {
    this.id = id;
    this.kind = kind;
    this.result = result.clone();
    this.message = message;
    this.payloads = payloads;
  }

  public Kind kind() {
    return kind;
  }

  /// Why it failed, for people; may be empty.
  public String message() {
    return message;
  }

  /// Result that the handler set; empty if it set none, or the caller did not ask to [keep
  /// it][TaskCall#keepResult].
  ///
  /// @throws IllegalArgumentException if it cannot be decoded as the type
  public <R> Optional<R> result(Class<R> type) {
    return result.length == 0 ? Optional.empty() : Optional.of(payloads.decodeResult(result, type));
  }

  /// The result as it was encoded; empty if there is none.
  public byte[] encodedResult() {
    return result.clone();
  }

  /// @throws TaskFailedException if the task did not complete
  public TaskOutcome orThrow() {
    if (kind != Kind.COMPLETED) {
      throw new TaskFailedException(
          "Task " + id + " ended as " + kind + (message.isEmpty() ? "" : ": " + message), kind);
    }
    return this;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TaskOutcome that
        && id.equals(that.id)
        && kind == that.kind
        && message.equals(that.message)
        && Arrays.equals(result, that.result);
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }

  @Override
  public String toString() {
    return "TaskOutcome[" + id + " " + kind + (message.isEmpty() ? "" : ": " + message) + "]";
  }
}
