package io.taskbroker.grpc;

import io.taskbroker.activation.Activation;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.RejectReason;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Tasks of one `EnqueueRequest`, valid or not, in their order. Not thread-safe.
final class Enqueued {
  /// Memory of one activation beyond its payload.
  private static final int TASK_BYTES = 256;

  private static final EnqueueResult ACCEPTED =
      EnqueueResult.newBuilder().setStatus(EnqueueStatus.ENQUEUE_STATUS_ACCEPTED).build();

  /// The valid tasks.
  private final List<Activation> activations = new ArrayList<>();

  /// For each task of the request: why it is invalid; empty if the broker chose its id; null
  /// otherwise.
  private final List<@Nullable String> flaws = new ArrayList<>();

  private long memory;

  int size() {
    return flaws.size();
  }

  List<Activation> activations() {
    return activations;
  }

  /// @param named whether the broker chose the id
  void add(Activation activation, boolean named) {
    activations.add(activation);
    memory += TASK_BYTES + activation.payload().length;
    flaws.add(named ? "" : null);
  }

  void refuse(String why) {
    flaws.add(why);
  }

  /// Memory of the decoded tasks beyond their bytes in the request, bytes.
  long memory() {
    return memory;
  }

  /// The response, given the outcomes of the valid tasks.
  EnqueueResponse response(List<EnqueueOutcome> outcomes) {
    EnqueueResponse.Builder response = EnqueueResponse.newBuilder();
    int valid = 0;
    for (String flaw : flaws) {
      if (flaw != null && !flaw.isEmpty()) {
        response.addResults(rejected(RejectReason.REJECT_REASON_INVALID, flaw));
        continue;
      }
      EnqueueResult result = result(outcomes.get(valid));
      if (flaw != null) {
        result = result.toBuilder().setId(activations.get(valid).id()).build();
      }
      response.addResults(result);
      valid++;
    }
    return response.build();
  }

  private static EnqueueResult result(EnqueueOutcome outcome) {
    return switch (outcome) {
      case ACCEPTED -> ACCEPTED;
      case ALREADY_EXISTS ->
          EnqueueResult.newBuilder().setStatus(EnqueueStatus.ENQUEUE_STATUS_ALREADY_EXISTS).build();
      case UNSTORABLE ->
          rejected(RejectReason.REJECT_REASON_INVALID, "the store cannot hold it, see the log");
      case FULL ->
          rejected(RejectReason.REJECT_REASON_FULL, "the broker is at its limits: try again later");
      case SWITCHED_OFF ->
          rejected(RejectReason.REJECT_REASON_SWITCHED_OFF, "a rule switches this task off");
      case EXPIRED ->
          rejected(RejectReason.REJECT_REASON_EXPIRED, "it had expired when it arrived");
      case SUPERSEDED ->
          throw new IllegalStateException("A task without a slot cannot be superseded");
    };
  }

  private static EnqueueResult rejected(RejectReason reason, String message) {
    return EnqueueResult.newBuilder()
        .setStatus(EnqueueStatus.ENQUEUE_STATUS_REJECTED)
        .setReason(reason)
        .setMessage(message)
        .build();
  }
}
