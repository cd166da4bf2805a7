package io.taskbroker.lab.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.proto.v1.TaskActivation;
import java.util.Random;

/// Generator of messages that are no tasks, or that the broker must reject: each belongs on the
/// dead-letter topic. Determined by the seed. Not thread-safe.
final class BadMessages {
  private static final int KINDS = 5;

  private final Random random;
  private int made;

  BadMessages(long seed) {
    random = new Random(seed);
  }

  byte[] next() {
    return switch (made++ % KINDS) {
      case 0 -> new byte[0];
      case 1 -> "no protobuf".getBytes(UTF_8);
      case 2 -> garbage(random.nextInt(1, 2_000));
      case 3 ->
          TaskActivation.newBuilder().setId("a\0b").setApplication("shop").build().toByteArray();
      default -> garbage(SoakSetting.MAX_MESSAGE_BYTES + 1);
    };
  }

  private byte[] garbage(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    bytes[0] = 0x0F; // not a valid wire type
    return bytes;
  }
}
