package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Priority;
import io.taskbroker.grpc.UnaryMethod.BadRequest;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.wire.WireCheck;
import java.io.IOException;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// Reader of `EnqueueRequest`s. A task keeps its bytes; what the broker sets is appended to them,
/// which protobuf reads as part of the same message. Stateless.
final class EnqueueReader {
  static final int MAX_TASKS = 10_000;
  static final int MAX_TASK_BYTES = 1 << 20;

  /// Bytes of a `NewTask` beside its task.
  private static final int MAX_OPTION_BYTES = 4_096;

  private static final int MAX_NAME_BYTES = 255;
  private static final int MAX_HEADERS = 64;
  private static final int MAX_HEADER_BYTES = 16 << 10;
  private static final long MAX_SECONDS = 604_800;
  private static final long MAX_DELAY_MS = 30L * 24 * 3_600_000;
  private static final int MAX_GROWTH_PERCENT = 1_000;
  private static final int DEFAULT_DEADLINE_SECONDS = 30;
  private static final int DEFAULT_REMEMBER_SECONDS = 120;
  private static final String DEFAULT_NAME = "default";

  /// The last time of a `google.protobuf.Timestamp`: the end of the year 9999.
  private static final long LAST_SECOND = 253_402_300_799L;

  private static final int TASKS =
      EnqueueRequest.TASKS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int TASK =
      NewTask.TASK_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;

  private EnqueueReader() {}

  /// Reads a request.
  ///
  /// @param now milliseconds since the epoch
  /// @throws BadRequest if there are too many tasks
  static Enqueued read(byte[] request, long now) throws InvalidProtocolBufferException {
    check(request, 0, request.length);
    var enqueued = new Enqueued();
    CodedInputStream in = CodedInputStream.newInstance(request);
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag != TASKS) {
          in.skipField(tag);
          continue;
        }
        if (enqueued.size() == MAX_TASKS) {
          throw new BadRequest("More than " + MAX_TASKS + " tasks in one request");
        }
        int length = in.readRawVarint32();
        int from = in.getTotalBytesRead();
        in.skipRawBytes(length);
        read(request, from, from + length, now, enqueued);
      }
    } catch (InvalidProtocolBufferException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidProtocolBufferException(e);
    }
    return enqueued;
  }

  private static void read(byte[] request, int from, int to, long now, Enqueued enqueued)
      throws IOException {
    check(request, from, to);
    if (to - from > MAX_TASK_BYTES + MAX_OPTION_BYTES) {
      enqueued.refuse(to - from + " bytes are more than " + MAX_TASK_BYTES); // not decoded (G7)
      return;
    }
    NewTask options = NewTask.parser().parseFrom(request, from, to - from);
    Task task = options.getTask();
    int begin = to;
    int end = to;
    int tasks = 0;
    CodedInputStream in = CodedInputStream.newInstance(request, from, to - from);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == TASK) {
        int length = in.readRawVarint32();
        begin = from + in.getTotalBytesRead();
        end = begin + length;
        tasks++;
        in.skipRawBytes(length);
      } else {
        in.skipField(tag);
      }
    }
    check(request, begin, end);
    String flaw = tasks == 1 ? flaw(task, options, end - begin) : "it has no task, or several";
    if (flaw != null) {
      enqueued.refuse(flaw);
    } else {
      enqueued.add(activation(request, begin, end, options, now), task.getId().isEmpty());
    }
  }

  private static void check(byte[] bytes, int from, int to) throws InvalidProtocolBufferException {
    String flaw = WireCheck.flaw(bytes, from, to);
    if (flaw != null) {
      throw new InvalidProtocolBufferException(flaw);
    }
  }

  /// Why a task is invalid; null if it is not.
  static @Nullable String flaw(Task task, NewTask options, int bytes) {
    if (bytes > MAX_TASK_BYTES) {
      return bytes + " bytes are more than " + MAX_TASK_BYTES;
    }
    if (task.getName().isEmpty()) {
      return "name is empty";
    }
    if (!task.getId().isEmpty() && !options.getIdempotencyKey().isEmpty()) {
      return "id and idempotency_key are both set";
    }
    String flaw = name("id", task.getId());
    flaw = flaw != null ? flaw : name("idempotency_key", options.getIdempotencyKey());
    flaw = flaw != null ? flaw : name("name", task.getName());
    flaw = flaw != null ? flaw : name("namespace", task.getNamespace());
    flaw = flaw != null ? flaw : name("application", task.getApplication());
    flaw = flaw != null ? flaw : priority(task);
    flaw = flaw != null ? flaw : headers(task);
    flaw = flaw != null ? flaw : times(task, options);
    return flaw != null ? flaw : retry(task.getRetry());
  }

  private static @Nullable String name(String field, String value) {
    if (value.length() > MAX_NAME_BYTES / 3 && value.getBytes(UTF_8).length > MAX_NAME_BYTES) {
      return field + " has more than " + MAX_NAME_BYTES + " bytes";
    }
    for (int i = 0; i < value.length(); i++) {
      if (Character.isISOControl(value.charAt(i))) {
        return field + " contains a control character";
      }
    }
    return null;
  }

  private static @Nullable String priority(Task task) {
    return Priority.isValid(task.getPriority())
        ? null
        : "priority is not between " + Priority.LAST + " and " + Priority.FIRST;
  }

  private static @Nullable String headers(Task task) {
    if (task.getHeadersCount() == 0) {
      return null;
    }
    long bytes = 0;
    for (var header : task.getHeadersMap().entrySet()) {
      bytes += header.getKey().length() + header.getValue().length();
      if (header.getKey().startsWith("taskbroker-")) {
        return "header " + header.getKey() + " is reserved";
      }
    }
    return task.getHeadersCount() > MAX_HEADERS || bytes > MAX_HEADER_BYTES
        ? "more than " + MAX_HEADERS + " headers, or " + MAX_HEADER_BYTES + " bytes of them"
        : null;
  }

  private static @Nullable String times(Task task, NewTask options) {
    if (task.hasReceivedAt()) {
      return "received_at is set by the broker";
    }
    if (isAbove(task.getDeadlineSeconds(), MAX_SECONDS)) {
      return "deadline_seconds is above " + MAX_SECONDS;
    }
    if (isAbove(options.getRememberSeconds(), MAX_SECONDS)) {
      return "remember_seconds is above " + MAX_SECONDS;
    }
    boolean valid =
        isValid(task.getNotBefore().getSeconds(), task.getNotBefore().getNanos())
            && isValid(task.getExpiresAt().getSeconds(), task.getExpiresAt().getNanos());
    if (!valid
        || isAbove(task.getDelaySeconds(), LAST_SECOND)
        || isAbove(task.getExpiresSeconds(), LAST_SECOND)) {
      return "a time is not between 1970 and 9999";
    }
    return null;
  }

  private static boolean isValid(long seconds, int nanos) {
    return seconds >= 0 && seconds <= LAST_SECOND && nanos >= 0 && nanos < 1_000_000_000;
  }

  private static @Nullable String retry(RetryPolicy policy) {
    if (policy.getAttempts() != 0) {
      return "retry.attempts is set by the broker";
    }
    if (isAbove(policy.getDelayMs(), MAX_DELAY_MS)
        || isAbove(policy.getMaxDelayMs(), MAX_DELAY_MS)
        || isAbove(policy.getDelaySeconds(), MAX_DELAY_MS / 1_000)) {
      return "a delay of retry is above 30 days";
    }
    if (isAbove(policy.getGrowthPercent() & 0xFFFF_FFFFL, MAX_GROWTH_PERCENT)
        || isAbove(policy.getJitterPercent() & 0xFFFF_FFFFL, 100)) {
      return "retry.growth_percent is above 1000, or retry.jitter_percent above 100";
    }
    return null;
  }

  /// Compares as unsigned.
  private static boolean isAbove(long value, long max) {
    return Long.compareUnsigned(value, max) > 0;
  }

  static Activation activation(byte[] request, int from, int to, NewTask options, long now)
      throws IOException {
    Task task = options.getTask();
    String application = task.getApplication().isEmpty() ? DEFAULT_NAME : task.getApplication();
    String namespace = task.getNamespace().isEmpty() ? DEFAULT_NAME : task.getNamespace();
    String key = options.getIdempotencyKey();
    String id =
        !task.getId().isEmpty()
            ? task.getId()
            : key.isEmpty() ? newId() : Ids.idempotent(application, namespace, key);
    int deadline = (int) task.getDeadlineSeconds();
    boolean chosen = !task.getId().isEmpty() || !key.isEmpty();
    long remembered =
        options.hasRememberSeconds()
            ? options.getRememberSeconds()
            : chosen || options.getKeepResult() ? DEFAULT_REMEMBER_SECONDS : 0;
    Origin origin = Origin.enqueued(remembered * 1_000);
    return new Activation(
        id,
        application,
        namespace,
        task.getName(),
        payload(request, from, to, task, id, application, namespace, now),
        options.getKeepResult() && remembered > 0 ? origin.keepingResult() : origin,
        now,
        expiresAt(task, now),
        delayUntil(task, now),
        deadline == 0 ? DEFAULT_DEADLINE_SECONDS : deadline,
        FailurePolicy.ofNumber(task.getRetry().getOnFailureValue()),
        task.getRetry().getAtMostOnce(),
        remembered > 0,
        (byte) task.getPriority());
  }

  private static long expiresAt(Task task, long now) {
    long at =
        task.hasExpiresAt()
            ? task.getExpiresAt().getSeconds() * 1_000 + task.getExpiresAt().getNanos() / 1_000_000
            : Activation.NEVER;
    return task.hasExpiresSeconds() ? Math.min(at, now + task.getExpiresSeconds() * 1_000) : at;
  }

  /// Rounded up, so that nothing is delivered before its time. Kept if it has passed: the clock may
  /// be set back.
  private static long delayUntil(Task task, long now) {
    long at = 0;
    if (task.hasNotBefore()) {
      int nanos = task.getNotBefore().getNanos();
      at = task.getNotBefore().getSeconds() * 1_000 + (nanos + 999_999) / 1_000_000;
    }
    if (task.getDelaySeconds() > 0) {
      at = Math.max(at, now + task.getDelaySeconds() * 1_000);
    }
    return at;
  }

  /// The bytes of the task, and the fields that the client left to the broker.
  private static byte[] payload(
      byte[] request,
      int from,
      int to,
      Task task,
      String id,
      String application,
      String namespace,
      long now)
      throws IOException {
    Task.Builder added = Task.newBuilder();
    added.getReceivedAtBuilder().setSeconds(now / 1_000).setNanos((int) (now % 1_000) * 1_000_000);
    if (task.getId().isEmpty()) {
      added.setId(id);
    }
    if (task.getApplication().isEmpty()) {
      added.setApplication(application);
    }
    if (task.getNamespace().isEmpty()) {
      added.setNamespace(namespace);
    }
    if (task.getDeadlineSeconds() == 0) {
      added.setDeadlineSeconds(DEFAULT_DEADLINE_SECONDS);
    }
    Task appended = added.build();
    byte[] payload = new byte[to - from + appended.getSerializedSize()];
    System.arraycopy(request, from, payload, 0, to - from);
    CodedOutputStream out =
        CodedOutputStream.newInstance(payload, to - from, payload.length - (to - from));
    appended.writeTo(out);
    out.checkNoSpaceLeft();
    return payload;
  }

  /// Random UUID of version 4. It need not be hard to guess.
  private static String newId() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    long high = (random.nextLong() & ~0xF000L) | 0x4000L;
    long low = (random.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
    return new UUID(high, low).toString();
  }
}
