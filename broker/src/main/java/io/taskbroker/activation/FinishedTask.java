package io.taskbroker.activation;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Record of an ended task. It becomes durable with the removal of its row, or not at all. Times
/// are milliseconds since the epoch. Immutable; the arrays must not be modified.
///
/// @param firstId id of the first attempt in a chain of retries; empty if that is its own id or
///   unknown
/// @param application,namespace,taskname empty if the task ended while it was parked
/// @param deliveredAt first delivery by this broker since it has the task; [Row#NONE] if there was
///   none
/// @param endedAt when the end was decided
/// @param keptUntil when the record may be deleted
/// @param deliveries by this broker since it has the task
/// @param worker the last one, as far as it has a name; may be empty
/// @param message why it failed, for people; may be empty
/// @param result of the worker; null if there is none, or nobody asked to keep it
/// @param history encoded [TaskHistory]; may be empty
/// @param asked whether the client asked for the record, so that it is found by id at once
@SuppressWarnings("ArrayRecordComponent") // never compared
public record FinishedTask(
    String id,
    String firstId,
    String application,
    String namespace,
    String taskname,
    Origin origin,
    Outcome outcome,
    long receivedAt,
    long deliveredAt,
    long endedAt,
    long keptUntil,
    int deliveries,
    String worker,
    String message,
    byte @Nullable [] result,
    byte[] history,
    boolean asked) {

  /// How a task ended. The numbers are stored.
  public enum Outcome {
    COMPLETED(0, "completed"),
    /// Failed for good and dropped, as its failure policy says.
    FAILED(1, "failed"),
    /// Failed for good and produced to the dead-letter topic.
    DEAD_LETTERED(2, "dead_lettered"),
    /// Its next attempt, a task of its own, was produced to the retry topic.
    RETRIED(3, "retried"),
    EXPIRED(4, "expired"),
    /// By its client or by an operator.
    CANCELLED(5, "cancelled"),
    /// Removed by a rule, or by an operator from the quarantine.
    DISCARDED(6, "discarded"),
    /// Produced to the topic that its namespace is demoted to.
    DEMOTED(7, "demoted");

    private static final List<Outcome> ALL = List.of(values()); // in the order of their numbers

    private final int number;
    private final String text;

    Outcome(int number, String text) {
      this.number = number;
      this.text = text;
    }

    /// Its name in histories and answers.
    public String text() {
      return text;
    }

    public int number() {
      return number;
    }

    /// The outcome of a number.
    ///
    /// @throws IndexOutOfBoundsException if there is none
    public static Outcome of(int number) {
      return ALL.get(number);
    }
  }
}
