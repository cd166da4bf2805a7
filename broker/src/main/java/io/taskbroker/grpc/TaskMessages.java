package io.taskbroker.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.TaskQuery.Phase;
import io.taskbroker.inflight.api.TaskQuery.View;
import io.taskbroker.inflight.api.WaitingReason;
import io.taskbroker.protocol.v1.AwaitResponse;
import io.taskbroker.protocol.v1.CancelResponse;
import io.taskbroker.protocol.v1.ExplainResponse;
import io.taskbroker.protocol.v1.GetResponse;
import io.taskbroker.protocol.v1.Outcome;
import io.taskbroker.protocol.v1.OutcomeKind;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskState;

/// Conversion of the engine's view of a task to messages of the protocol. Stateless.
final class TaskMessages {
  private TaskMessages() {}

  static GetResponse get(String id, View view) {
    GetResponse.Builder response = GetResponse.newBuilder().setId(id).setState(state(view));
    if (view.activation() != null) {
      try {
        response.setTask(Task.parseFrom(view.activation().payload()));
      } catch (InvalidProtocolBufferException _) {
        // Not a task, so it is not shown.
      }
    }
    AttemptToken token = view.token();
    if (token != null) {
      response.getTokenBuilder().setEpoch(token.epoch()).setNumber(token.number());
    }
    if (view.phase() == Phase.ENDED) {
      response.setOutcome(outcome(view));
    }
    return response.setProgress(view.progress()).build();
  }

  static CancelResponse cancelled(View view) {
    return CancelResponse.newBuilder().setState(state(view)).build();
  }

  static AwaitResponse awaited(View view) {
    return view.phase() == Phase.ENDED
        ? AwaitResponse.newBuilder().setOutcome(outcome(view)).build()
        : AwaitResponse.getDefaultInstance();
  }

  static ExplainResponse explained(View view) {
    ExplainResponse.Builder response = ExplainResponse.newBuilder().setState(state(view));
    WaitingReason why = view.why();
    if (why == null) {
      return response.setReason(WaitingReason.Kind.ENDED.name()).build();
    }
    response.setReason(why.kind().name()).setDetail(why.detail());
    if (why.until().isPresent()) {
      response.setUntil(timestamp(why.until().getAsLong()));
    }
    return response.build();
  }

  private static Timestamp timestamp(long millis) {
    return Timestamp.newBuilder()
        .setSeconds(Math.floorDiv(millis, 1_000))
        .setNanos(Math.floorMod(millis, 1_000) * 1_000_000)
        .build();
  }

  private static TaskState state(View view) {
    return switch (view.phase()) {
      case PENDING -> TaskState.TASK_STATE_PENDING;
      case DELAYED -> TaskState.TASK_STATE_DELAYED;
      case PARKED -> TaskState.TASK_STATE_PARKED;
      case RUNNING -> TaskState.TASK_STATE_RUNNING;
      case FORWARDING -> TaskState.TASK_STATE_FORWARDING;
      case ENDED -> TaskState.TASK_STATE_ENDED;
    };
  }

  private static Outcome outcome(View view) {
    return Outcome.newBuilder()
        .setKind(
            switch (view.end()) {
              case UNKNOWN -> OutcomeKind.OUTCOME_KIND_UNSPECIFIED;
              case COMPLETED -> OutcomeKind.OUTCOME_KIND_COMPLETED;
              case FAILED -> OutcomeKind.OUTCOME_KIND_FAILED;
              case CANCELLED -> OutcomeKind.OUTCOME_KIND_CANCELLED;
              case EXPIRED -> OutcomeKind.OUTCOME_KIND_EXPIRED;
            })
        .setResult(ByteString.copyFrom(view.result()))
        .setMessage(view.message())
        .build();
  }
}
