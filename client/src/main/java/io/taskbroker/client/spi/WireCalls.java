package io.taskbroker.client.spi;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.TaskCall;
import io.taskbroker.client.TaskRejectedException;
import io.taskbroker.client.codec.Payloads;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.Task;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/// Calls in the form of the protocol. Stateless apart from the clock.
public final class WireCalls {
  private final Payloads payloads;
  private final InstantSource clock;
  private final Duration rememberRepeats;

  /// @param rememberRepeats how long the broker must recognise a repeated request for a call whose
  ///   id this client chose
  public WireCalls(Payloads payloads, InstantSource clock, Duration rememberRepeats) {
    this.payloads = payloads;
    this.clock = clock;
    this.rememberRepeats = rememberRepeats;
  }

  /// Encodes a call. It has an id or a key afterwards, so that its enqueue can be repeated.
  ///
  /// @throws TaskRejectedException if the argument cannot be encoded
  public NewTask encode(TaskCall<?> call) {
    io.taskbroker.client.Task<?> task = call.task();
    Payloads.Encoded argument;
    try {
      argument = payloads.encode(call.argument(), task.codec());
    } catch (IllegalArgumentException e) {
      throw new TaskRejectedException(
          TaskRejectedException.Reason.INVALID,
          "Could not enqueue " + task.name() + ": " + e.getMessage(),
          e);
    }
    Task.Builder wire =
        Task.newBuilder()
            .setName(task.name())
            .setNamespace(task.namespace())
            .setApplication(task.application())
            .putAllHeaders(call.headers())
            .putAllHeaders(argument.headers())
            .setArguments(ByteString.copyFrom(argument.bytes()))
            .setDeadlineSeconds(seconds(task.deadline()))
            .setPriority(call.priority())
            .setRetry(retry(task.retry(), task.isAtMostOnce()));
    call.at().ifPresent(at -> wire.setNotBefore(timestamp(at)));
    call.delay().ifPresent(delay -> delay(wire, delay));
    task.expiry().ifPresent(expiry -> wire.setExpiresSeconds(seconds(expiry)));
    NewTask.Builder all = NewTask.newBuilder().setKeepResult(call.keepsResult());
    call.idempotencyKey()
        .ifPresentOrElse(
            all::setIdempotencyKey, () -> wire.setId(call.id().orElseGet(WireCalls::newId)));
    boolean chosen = call.id().isPresent() || call.idempotencyKey().isPresent();
    call.remember()
        .ifPresentOrElse(
            time -> all.setRememberSeconds((int) seconds(time)),
            () -> {
              if (!chosen && !call.keepsResult()) {
                all.setRememberSeconds((int) seconds(rememberRepeats));
              }
            });
    return all.setTask(wire).build();
  }

  /// Seconds count from the time of the broker; a fraction needs the clock of the client.
  private void delay(Task.Builder wire, Duration delay) {
    if (delay.toSeconds() > 0) {
      wire.setDelaySeconds(delay.toSeconds());
    }
    if (delay.toNanosPart() > 0) {
      wire.setNotBefore(timestamp(clock.instant().plus(delay)));
    }
  }

  private static io.taskbroker.protocol.v1.RetryPolicy retry(
      RetryPolicy policy, boolean atMostOnce) {
    var wire =
        io.taskbroker.protocol.v1.RetryPolicy.newBuilder()
            .setMaxAttempts(policy.maxAttempts())
            .setDelayMs(policy.delay().toMillis())
            .setGrowthPercent((int) Math.round(policy.growth() * 100))
            .setMaxDelayMs(policy.maxDelay().toMillis())
            .setJitterPercent((int) Math.round(policy.jitter() * 100))
            .setOnFailure(
                switch (policy.onFailure()) {
                  case DEAD_LETTER -> OnFailure.ON_FAILURE_DEAD_LETTER;
                  case DISCARD -> OnFailure.ON_FAILURE_DISCARD;
                });
    if (atMostOnce) {
      wire.setAtMostOnce(true);
    }
    return wire.build();
  }

  private static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  /// Rounded up.
  private static long seconds(Duration time) {
    return time.toSeconds() + (time.toNanosPart() > 0 ? 1 : 0);
  }

  /// Random UUID of version 4. It need not be hard to guess.
  private static String newId() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    long high = (random.nextLong() & ~0xF000L) | 0x4000L;
    long low = (random.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
    return new UUID(high, low).toString();
  }
}
