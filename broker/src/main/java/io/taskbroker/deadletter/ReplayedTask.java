package io.taskbroker.deadletter;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.TaskIdentity;
import io.taskbroker.activation.Timestamps;
import io.taskbroker.proto.v1.TaskActivation;

/// Builder of the task that replays a dead letter. It has an id of its own, which follows from the
/// dead letter's position, so that brokers run it although they know the old id, and drop a second
/// copy of it. Expiry counts from now, and the delay is over.
final class ReplayedTask {
  private ReplayedTask() {}

  /// @param topicId UUID of the dead-letter topic
  /// @param task the dead letter's task, with the arguments that it is to have
  static TaskActivation of(
      String topicId, DeadLetter letter, TaskActivation task, boolean keepAttempts, long now) {
    TaskActivation.Builder replay = task.toBuilder();
    replay
        .setId(
            Ids.replay(
                topicId,
                letter.position().partition(),
                letter.position().offset(),
                letter.timestamp()))
        .setReceivedAt(Timestamps.ofMillis(now))
        .clearDelay();
    if (!task.containsHeaders(TaskIdentity.FIRST_ID_HEADER)) {
      replay.putHeaders(TaskIdentity.FIRST_ID_HEADER, letter.firstId());
    }
    if (!keepAttempts && task.hasRetryState()) {
      replay.getRetryStateBuilder().clearAttempts();
    }
    return replay.build();
  }
}
