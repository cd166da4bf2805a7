package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.taskbroker.activation.Activation;
import io.taskbroker.fuzz.Cost;
import io.taskbroker.grpc.UnaryMethod.BadRequest;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.RejectReason;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.wire.WireOracle;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary bytes as an `EnqueueRequest`: it is refused as a whole exactly if the generated parser
/// or those of other languages refuse it, each task has its result, and what is accepted is what
/// that parser reads, with the broker's fields.
final class EnqueueReaderFuzzTest {
  private static final long NOW = 1_800_000_000_123L;

  @MethodSource("seeds")
  @FuzzTest
  void readsWhatTheGeneratedParserReads(byte[] input) {
    @Nullable EnqueueRequest request = parsed(input);
    @Nullable Enqueued enqueued = Cost.within(100_000 + 400L * input.length, () -> read(input));

    if (request == null || WireOracle.refuses(input, EnqueueRequest.getDescriptor(), 2)) {
      assertThat(enqueued).isNull();
      return;
    }
    if (enqueued == null) {
      assertThat(
              WireOracle.refuses(input, EnqueueRequest.getDescriptor(), 3)
                  || request.getTasksCount() > EnqueueReader.MAX_TASKS
                  || !isSkippable(input, 2))
          .isTrue();
      return;
    }
    assertThat(enqueued.memory()).isGreaterThanOrEqualTo(256L * request.getTasksCount());
    EnqueueResponse response =
        enqueued.response(
            Collections.nCopies(enqueued.activations().size(), EnqueueOutcome.ACCEPTED));
    assertThat(response.getResultsCount()).isEqualTo(request.getTasksCount());
    var accepted = enqueued.activations().iterator();
    for (int i = 0; i < request.getTasksCount(); i++) {
      EnqueueResult result = response.getResults(i);
      if (result.getReason() == RejectReason.REJECT_REASON_UNSPECIFIED) {
        assertIsAsSent(request.getTasks(i), accepted.next(), result);
      } else {
        assertThat(result.getMessage()).isNotEmpty();
      }
    }
    assertThat(accepted.hasNext()).isFalse();
  }

  /// Whether each field can be skipped. A number of more than ten bytes cannot, as in the libraries
  /// of other languages, though the generated parser reads it.
  private static boolean isSkippable(byte[] message, int levels) {
    CodedInputStream in = CodedInputStream.newInstance(message);
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == 10 && levels > 1) {
          if (!isSkippable(in.readByteArray(), levels - 1)) {
            return false;
          }
        } else if (!in.skipField(tag)) {
          return false;
        }
      }
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private static void assertIsAsSent(NewTask sent, Activation activation, EnqueueResult result) {
    Task task = sent.getTask();
    assertThat(task.getName()).isNotEmpty().isEqualTo(activation.taskname());
    assertThat(result.getId()).isEqualTo(task.getId().isEmpty() ? activation.id() : "");
    assertThat(activation.deadlineSeconds()).isPositive();
    assertThat(activation.delayUntil()).isNotNegative();
    assertThat(activation.expiresAt()).isNotNegative();
    Task.Builder expected = task.toBuilder();
    expected.setReceivedAt(
        Timestamp.newBuilder().setSeconds(NOW / 1_000).setNanos((int) (NOW % 1_000) * 1_000_000));
    expected.setId(activation.id());
    expected.setApplication(activation.application());
    expected.setNamespace(activation.namespace());
    expected.setDeadlineSeconds(activation.deadlineSeconds());
    assertThat(task(activation.payload())).isEqualTo(expected.build());
    for (String given : List.of(task.getId(), task.getApplication(), task.getNamespace())) {
      assertThat(
              given.isEmpty()
                  || given.equals(activation.id())
                  || given.equals(activation.application())
                  || given.equals(activation.namespace()))
          .isTrue();
    }
  }

  private static Task task(byte[] payload) {
    try {
      return Task.parseFrom(payload);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static @Nullable EnqueueRequest parsed(byte[] input) {
    try {
      return EnqueueRequest.parseFrom(input);
    } catch (InvalidProtocolBufferException _) {
      return null;
    }
  }

  private static @Nullable Enqueued read(byte[] input) {
    try {
      return EnqueueReader.read(input, NOW);
    } catch (InvalidProtocolBufferException | BadRequest _) {
      return null;
    }
  }

  static Stream<byte[]> seeds() {
    Task plain = Task.newBuilder().setName("mail").build();
    Task full =
        Task.newBuilder()
            .setId("é")
            .setName("mail")
            .setNamespace("post")
            .setApplication("shop")
            .setArguments(ByteString.copyFromUtf8("{}"))
            .putHeaders("trace", "t")
            .setDeadlineSeconds(7)
            .setDelaySeconds(60)
            .setNotBefore(Timestamp.newBuilder().setSeconds(4_000_000_000L).setNanos(1))
            .setExpiresSeconds(90)
            .setExpiresAt(Timestamp.newBuilder().setSeconds(4_000_000_000L))
            .setPriority(-3)
            .setRetry(RetryPolicy.newBuilder().setMaxAttempts(3).setDelayMs(5).setAtMostOnce(true))
            .build();
    return Stream.of(
        request(NewTask.newBuilder().setTask(plain)),
        request(NewTask.newBuilder().setTask(plain).setIdempotencyKey("k").setRememberSeconds(7)),
        request(NewTask.newBuilder().setTask(full), NewTask.newBuilder().setTask(plain)),
        request(NewTask.newBuilder().setTask(full).setIdempotencyKey("k"), NewTask.newBuilder()),
        request(NewTask.newBuilder().setTask(full.toBuilder().setDeadlineSeconds(-1))),
        request(
            NewTask.newBuilder()
                .setTask(full.toBuilder().setNotBefore(Timestamp.newBuilder().setSeconds(-1)))),
        // A field with a number of two, and one task in two parts.
        new byte[] {10, 10, 10, 3, 26, 1, 'a', 10, 3, 26, 1, 'b'},
        // The end of a group that had not begun.
        new byte[] {20, 10, 0},
        // A length of more than 32 bits.
        new byte[] {10, -128, -128, -128, -128, 16, 0});
  }

  private static byte[] request(NewTask.Builder... tasks) {
    EnqueueRequest.Builder request = EnqueueRequest.newBuilder();
    for (NewTask.Builder task : tasks) {
      request.addTasks(task);
    }
    return request.build().toByteArray();
  }
}
