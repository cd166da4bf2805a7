package io.taskbroker.ingest;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnknownFieldSet;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Random;

/// Generator of random serialised activations, well-formed and malformed.
@SuppressWarnings("deprecation") // old clients still send parameters as text
final class RandomMessages {
  private static final String[] TEXTS = {
    "", "a", "task.name", "grün", "\u0000", "\uD83D\uDE00", "€"
  };

  private RandomMessages() {}

  /// One message, or several concatenated; every second one is damaged.
  static byte[] next(Random random) {
    var bytes = new ByteArrayOutputStream();
    int parts = 1 + random.nextInt(3);
    for (int i = 0; i < parts; i++) {
      bytes.writeBytes(message(random).toByteArray());
    }
    byte[] value = bytes.toByteArray();
    return random.nextBoolean() || value.length == 0 ? value : damaged(value, random);
  }

  /// Message with every field set and unknown fields of each kind.
  static TaskActivation everyField() {
    return TaskActivation.newBuilder()
        .setId("id")
        .setNamespace("namespace")
        .setTaskname("täsk")
        .setParametersJson("{}")
        .putHeaders("key", "välue")
        .putHeaders("taskbroker-priority", "-3")
        .setReceivedAt(Timestamp.newBuilder().setSeconds(1).setNanos(2))
        .setRetryState(
            RetryState.newBuilder()
                .setAttempts(1)
                .setMaxAttempts(2)
                .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER)
                .setAtMostOnce(true)
                .setDelayOnRetry(5)
                .setUnknownFields(unknown()))
        .setProcessingDeadlineDuration(10)
        .setExpires(300)
        .setDelay(70_000)
        .setApplication("app")
        .setParametersBytes(ByteString.copyFromUtf8("bytes"))
        .setUnknownFields(unknown())
        .build();
  }

  private static UnknownFieldSet unknown() {
    var inner = UnknownFieldSet.newBuilder().addField(1, varint(3)).build();
    return UnknownFieldSet.newBuilder()
        .addField(10, varint(-1))
        .addField(34, varint(5))
        .addField(30, UnknownFieldSet.Field.newBuilder().addFixed32(7).addFixed64(8).build())
        .addField(31, UnknownFieldSet.Field.newBuilder().addGroup(inner).build())
        .addField(
            32, UnknownFieldSet.Field.newBuilder().addLengthDelimited(ByteString.EMPTY).build())
        .build();
  }

  private static UnknownFieldSet.Field varint(long value) {
    return UnknownFieldSet.Field.newBuilder().addVarint(value).build();
  }

  private static TaskActivation message(Random random) {
    var message = TaskActivation.newBuilder();
    if (random.nextInt(4) > 0) {
      message.setId("id" + random.nextInt());
    }
    if (random.nextBoolean()) {
      message.setNamespace(text(random)).setTaskname(text(random));
    }
    if (random.nextInt(4) == 0) {
      message.setApplication(text(random)).setParametersJson(text(random));
    }
    if (random.nextInt(3) == 0) {
      message.putHeaders(text(random), text(random));
    }
    if (random.nextInt(3) == 0) {
      message.putHeaders("taskbroker-priority", String.valueOf(random.nextInt(-9, 9)));
    }
    if (random.nextBoolean()) {
      message.setReceivedAt(
          Timestamp.newBuilder()
              .setSeconds(random.nextInt(5) == 0 ? random.nextLong() : random.nextInt())
              .setNanos(random.nextInt(5) == 0 ? random.nextInt() : random.nextInt(1_000_000_000)));
    }
    if (random.nextBoolean()) {
      message.setRetryState(retryState(random));
    }
    if (random.nextInt(3) == 0) {
      message.setProcessingDeadlineDuration(number(random));
    }
    if (random.nextInt(3) == 0) {
      message.setExpires(number(random));
    }
    if (random.nextInt(3) == 0) {
      message.setDelay(number(random));
    }
    if (random.nextInt(3) == 0) {
      message.setParametersBytes(ByteString.copyFrom(new byte[random.nextInt(40)]));
    }
    if (random.nextInt(5) == 0) {
      message.setUnknownFields(unknown());
    }
    return message.build();
  }

  private static RetryState retryState(Random random) {
    var retry = RetryState.newBuilder();
    if (random.nextBoolean()) {
      retry.setAttempts(random.nextInt(3) - 1);
    }
    if (random.nextBoolean()) {
      retry.setOnAttemptsExceededValue(random.nextInt(6) - 1);
    }
    if (random.nextBoolean()) {
      retry.setAtMostOnce(random.nextBoolean());
    }
    if (random.nextInt(4) == 0) {
      retry.setUnknownFields(unknown());
    }
    return retry.build();
  }

  private static long number(Random random) {
    return random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(10_000);
  }

  private static String text(Random random) {
    return TEXTS[random.nextInt(TEXTS.length)];
  }

  /// The value truncated, with changed bytes, or with inserted bytes.
  private static byte[] damaged(byte[] value, Random random) {
    int at = random.nextInt(value.length);
    return switch (random.nextInt(3)) {
      case 0 -> Arrays.copyOf(value, at);
      case 1 -> {
        byte[] changed = value.clone();
        for (int i = random.nextInt(3); i >= 0; i--) {
          changed[random.nextInt(changed.length)] = (byte) random.nextInt();
        }
        yield changed;
      }
      default -> {
        var longer = new ByteArrayOutputStream();
        longer.write(value, 0, at);
        for (int i = random.nextInt(4); i >= 0; i--) {
          longer.write(random.nextInt());
        }
        longer.write(value, at, value.length - at);
        yield longer.toByteArray();
      }
    };
  }
}
