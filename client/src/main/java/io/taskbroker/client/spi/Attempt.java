package io.taskbroker.client.spi;

import io.taskbroker.client.AttemptToken;
import io.taskbroker.client.Cancellation;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.codec.Payloads;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Task;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One delivery that is being run: the context of its handler, and the way to stop it. Thread-safe.
public final class Attempt implements TaskContext {
  private static final int MAX_RESULT = 64 << 10;
  private static final int MAX_PROGRESS = 1 << 10;
  private static final byte[] NO_RESULT = {};

  private final Delivery delivery;
  private final AttemptToken token;
  private final Payloads payloads;
  private final InstantSource clock;
  private final Consumer<Attempt> onHeartbeat;
  private final Cancellation cancellation = new Cancellation();
  private volatile Instant deadline;
  private volatile byte[] result = NO_RESULT;
  private volatile String progress = "";
  private @Nullable Thread thread;

  /// @param onHeartbeat called with each heartbeat of the handler, on its thread; must not block
  public Attempt(
      Delivery delivery, Payloads payloads, InstantSource clock, Consumer<Attempt> onHeartbeat) {
    this.delivery = delivery;
    this.token = new AttemptToken(delivery.getToken().getEpoch(), delivery.getToken().getNumber());
    this.payloads = payloads;
    this.clock = clock;
    this.onHeartbeat = onHeartbeat;
    this.deadline = clock.instant().plus(timeAllowed());
  }

  public Delivery delivery() {
    return delivery;
  }

  /// Time of an attempt, counted anew from each heartbeat.
  public Duration timeAllowed() {
    return Duration.ofSeconds(Math.max(1, task().getDeadlineSeconds()));
  }

  /// Asks the handler to stop: requests cancellation and interrupts its thread. Does nothing the
  /// second time, and after the handler has ended.
  public void cancel(Cancellation.Reason reason) {
    if (cancellation.request(reason)) {
      synchronized (this) {
        if (thread != null) {
          thread.interrupt();
        }
      }
    }
  }

  /// The current thread runs the handler from now on.
  synchronized void begin() {
    thread = Thread.currentThread();
    if (cancellation.isRequested()) {
      thread.interrupt();
    }
  }

  /// The handler has ended: later requests do not interrupt the thread. Clears an interrupt.
  @SuppressWarnings("ResultOfMethodCallIgnored")
  synchronized void end() {
    thread = null;
    boolean unused = Thread.interrupted();
  }

  Task task() {
    return delivery.getTask();
  }

  byte[] encodedResult() {
    return result;
  }

  /// Last progress; may be empty.
  public String progress() {
    return progress;
  }

  @Override
  public String id() {
    return task().getId();
  }

  @Override
  public String name() {
    return task().getName();
  }

  @Override
  public String namespace() {
    return task().getNamespace();
  }

  @Override
  public String application() {
    return task().getApplication();
  }

  @Override
  public int attempt() {
    return task().getRetry().getAttempts() + 1;
  }

  @Override
  public int maxAttempts() {
    return Math.max(1, task().getRetry().getMaxAttempts());
  }

  @Override
  public AttemptToken token() {
    return token;
  }

  @Override
  public Instant deadline() {
    return deadline;
  }

  @Override
  public Map<String, String> headers() {
    return task().getHeadersMap();
  }

  @Override
  public Cancellation cancellation() {
    return cancellation;
  }

  @Override
  public void heartbeat() {
    deadline = clock.instant().plus(timeAllowed());
    onHeartbeat.accept(this);
  }

  @Override
  public void progress(String text) {
    progress = cut(text, MAX_PROGRESS);
    heartbeat();
  }

  @Override
  public void result(Object value) {
    byte[] encoded = payloads.encodeResult(value);
    if (encoded.length > MAX_RESULT) {
      throw new IllegalArgumentException(
          "The result of task %s has %d bytes, and may have %d: store it elsewhere and return where"
              .formatted(id(), encoded.length, MAX_RESULT));
    }
    result = encoded;
  }

  @Override
  public String toString() {
    return "Attempt[" + id() + " " + name() + " " + token + "]";
  }

  /// At most so many bytes of UTF-8, not cut within a character.
  static String cut(String text, int bytes) {
    if (text.length() <= bytes / 3) {
      return text;
    }
    byte[] all = text.getBytes(StandardCharsets.UTF_8);
    if (all.length <= bytes) {
      return text;
    }
    int end = bytes;
    while ((all[end] & 0xC0) == 0x80) {
      end--;
    }
    return new String(all, 0, end, StandardCharsets.UTF_8);
  }
}
