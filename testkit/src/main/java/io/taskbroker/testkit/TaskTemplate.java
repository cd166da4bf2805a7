package io.taskbroker.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Instant;
import java.util.HexFormat;
import java.util.SplittableRandom;

/// Factory of activations like those of the Python client (reference-spec 11.5): random id of 32
/// hex digits, received now, deadline of 10 s, one attempt, discarded on failure. A header holds
/// the number of the logical task and survives retries. Not thread-safe.
public final class TaskTemplate {
  /// Header with the number of the logical task.
  public static final String NUMBER = "task-number";

  private static final int ENVELOPE = 20;

  private final SplittableRandom random;
  private final Clock clock = Clock.systemUTC();
  private final TaskActivation prototype;

  /// @param parameterBytes length of the parameters, valid MessagePack from 20 bytes on
  /// @param seed determines the ids: activations of equal seeds are duplicates to a broker
  public TaskTemplate(
      String application, String namespace, String taskname, int parameterBytes, long seed) {
    random = new SplittableRandom(seed);
    prototype =
        TaskActivation.newBuilder()
            .setApplication(application)
            .setNamespace(namespace)
            .setTaskname(taskname)
            .setProcessingDeadlineDuration(10)
            .setRetryState(
                RetryState.newBuilder()
                    .setMaxAttempts(1)
                    .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DISCARD)
                    .setAtMostOnce(false))
            .setParametersBytes(parameters(parameterBytes))
            .build();
  }

  /// Activation of a logical task, for further changes before it is built.
  public TaskActivation.Builder task(int number) {
    return prototype.toBuilder()
        .setId(id())
        .putHeaders(NUMBER, Integer.toString(number))
        .setReceivedAt(timestamp(clock.instant()));
  }

  /// The same with several attempts and a dead letter after the last one.
  public TaskActivation.Builder deadLettered(int number, int attempts) {
    TaskActivation.Builder task = task(number);
    task.getRetryStateBuilder()
        .setMaxAttempts(attempts)
        .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER);
    return task;
  }

  /// Number of the logical task; -1 if the activation carries none.
  public static int numberOf(TaskActivation activation) {
    String number = activation.getHeadersOrDefault(NUMBER, "");
    try {
      return Integer.parseInt(number);
    } catch (NumberFormatException _) {
      return -1;
    }
  }

  public static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  private String id() {
    var hex = HexFormat.of();
    long version4 = (random.nextLong() & ~0xF000L) | 0x4000L;
    long variant1 = (random.nextLong() & ~(3L << 62)) | (1L << 63);
    return hex.toHexDigits(version4) + hex.toHexDigits(variant1);
  }

  /// `{"args": [bytes], "kwargs": {}}`
  private static ByteString parameters(int length) {
    var bytes = ByteBuffer.allocate(length);
    if (length >= ENVELOPE) {
      int blob = length - ENVELOPE;
      bytes.put((byte) 0x82).put((byte) 0xa4).put(new byte[] {'a', 'r', 'g', 's'});
      bytes.put((byte) 0x91).put((byte) 0xc6).putInt(blob).put(new byte[blob]);
      bytes.put((byte) 0xa6).put(new byte[] {'k', 'w', 'a', 'r', 'g', 's'}).put((byte) 0x80);
    }
    return ByteString.copyFrom(bytes.clear());
  }
}
