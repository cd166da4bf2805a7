package io.taskbroker.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.PushTaskRequest;
import io.taskbroker.proto.v1.SetTaskStatusResponse;
import io.taskbroker.proto.v1.TaskActivation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Messages that embed an activation.
final class FramesTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100, 117, 118, 119, 130, 16_370, 16_384, 2_097_139, 2_097_160})
  void embedsTheActivationUnchanged(int nameLength) throws InvalidProtocolBufferException {
    TaskActivation activation =
        TaskActivation.newBuilder().setTaskname("x".repeat(nameLength)).build();

    byte[] frame = Frames.ofTask(activation.toByteArray());

    PushTaskRequest expected = PushTaskRequest.newBuilder().setTask(activation).build();
    assertThat(frame).isEqualTo(expected.toByteArray());
    assertThat(GetTaskResponse.parseFrom(frame).getTask()).isEqualTo(activation);
    assertThat(SetTaskStatusResponse.parseFrom(frame).getTask()).isEqualTo(activation);
  }
}
