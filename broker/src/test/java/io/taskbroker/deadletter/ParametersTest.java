package io.taskbroker.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;

/// Arguments of dead letters, as JSON and back.
final class ParametersTest {
  private static final String EDITED =
      "{\"args\": [1.5, null, true], \"kwargs\": {\"a\": {\"b\": -7}}}";

  @Test
  void editedArgumentsKeepTheirEncoding() throws Exception {
    byte[] plain = packed(out -> {});
    TaskActivation task = task(plain).build();
    TaskActivation compressed =
        task(Zstd.compress(plain)).putHeaders("compression-type", "zstd").build();
    for (TaskActivation each : new TaskActivation[] {task, compressed}) {
      TaskActivation edited = Parameters.replace(each, EDITED);
      assertThat(Parameters.of(edited).arguments().toString()).isEqualTo(EDITED.replace(" ", ""));
      assertThat(Parameters.of(edited).exact()).isTrue();
    }
  }

  @Test
  @SuppressWarnings("deprecation") // older clients write it
  void theOlderJsonTextIsReadAndWritten() {
    TaskActivation task =
        TaskActivation.newBuilder()
            .setId("1")
            .setParametersJson("{\"args\": [], \"kwargs\": {}}")
            .build();
    assertThat(Parameters.replace(task, EDITED).getParametersJson())
        .isEqualTo(EDITED.replace(" ", ""));
  }

  @Test
  void whatJsonDoesNotHaveIsShownAndNotEdited() throws Exception {
    byte[] bytes =
        packed(out -> {
          try {
            out.packBinaryHeader(2).writePayload(new byte[] {1, 2});
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        });
    TaskActivation task = task(bytes).build();
    assertThat(Parameters.of(task).arguments().toString())
        .contains("{\"args\":[{\"$bytes\":\"0102\"}]");
    assertThatThrownBy(() -> Parameters.replace(task, EDITED))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cannot be edited");
  }

  @Test
  void argumentsThatInflateBeyondTheBoundAreRefused() {
    byte[] bomb = Zstd.compress(new byte[Parameters.MAX_BYTES + 1]);
    assertThat(bomb.length).isLessThan(10_000);
    TaskActivation task = task(bomb).putHeaders("compression-type", "zstd").build();
    assertThatThrownBy(() -> Parameters.of(task))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("more than 16777216 bytes");
  }

  @Test
  void argumentsThatAreNestedTooDeepAreRefused() {
    byte[] deep = new byte[100_000];
    Arrays.fill(deep, (byte) 0x91); // a list with one item
    assertThatThrownBy(() -> Parameters.of(task(deep).build()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nested deeper than 64");
  }

  private static TaskActivation.Builder task(byte[] parameters) {
    return TaskActivation.newBuilder()
        .setId("1")
        .setParametersBytes(ByteString.copyFrom(parameters));
  }

  /// `{"args": […], "kwargs": {}}` with one argument; null if the writer writes nothing.
  private static byte[] packed(Consumer<MessageBufferPacker> argument) throws Exception {
    try (MessageBufferPacker out = MessagePack.newDefaultBufferPacker()) {
      out.packMapHeader(2).packString("args").packArrayHeader(1);
      long before = out.getTotalWrittenBytes();
      argument.accept(out);
      if (out.getTotalWrittenBytes() == before) {
        out.packNil();
      }
      out.packString("kwargs").packMapHeader(0);
      return out.toByteArray();
    }
  }
}
