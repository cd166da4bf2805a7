package io.taskbroker.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.TaskIdentity;
import io.taskbroker.ingest.fetch.UnreadRecord;
import io.taskbroker.proto.v1.TaskActivation;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/// Record of a dead-letter topic. Those of the reference have no headers ([ADR
/// 17](docs/adr/0017-task-identity.md)); all values that headers would give are then empty.
/// Immutable; the payload must not be modified.
///
/// @param timestamp of the record, milliseconds since the epoch
/// @param headers of the record, as UTF-8
/// @param task the payload as an activation; empty if the message is no task
@SuppressWarnings("ArrayRecordComponent") // never compared
public record DeadLetter(
    Position position,
    long timestamp,
    Map<String, String> headers,
    byte[] payload,
    Optional<TaskActivation> task) {
  private static final String PREFIX = "taskbroker-";
  private static final String ATTEMPTS = PREFIX + "attempts";
  private static final String REASON = PREFIX + "reason";
  private static final int MAX_HEADER_BYTES = 8 << 10;

  public DeadLetter {
    headers = Map.copyOf(headers);
  }

  /// Reads a record of a dead-letter topic.
  public static DeadLetter read(ConsumerRecord<byte[], byte[]> message) {
    var headers = new TreeMap<String, String>();
    for (Header header : message.headers()) {
      byte[] value = header.value();
      if (value != null && !(header instanceof UnreadRecord)) {
        headers.put(header.key(), text(value));
      }
    }
    byte[] payload = message.value() == null ? new byte[0] : message.value();
    return new DeadLetter(
        new Position(message.partition(), message.offset()),
        message.timestamp(),
        headers,
        payload,
        decode(payload, headers));
  }

  private static String text(byte[] value) {
    return new String(value, 0, Math.min(value.length, MAX_HEADER_BYTES), UTF_8);
  }

  private static Optional<TaskActivation> decode(byte[] payload, Map<String, String> headers) {
    boolean noTask = headers.containsKey(REASON) && !headers.containsKey(ATTEMPTS);
    if (noTask || payload.length == 0) {
      return Optional.empty();
    }
    try {
      TaskActivation task = TaskActivation.parseFrom(payload);
      return task.getId().isEmpty() || task.getTaskname().isEmpty()
          ? Optional.empty()
          : Optional.of(task);
    } catch (InvalidProtocolBufferException _) {
      return Optional.empty();
    }
  }

  /// Id of the task; empty if the message is no task.
  public String id() {
    return task.map(TaskActivation::getId).orElse("");
  }

  public String taskname() {
    return task.map(TaskActivation::getTaskname).orElse("");
  }

  public String namespace() {
    return task.map(TaskActivation::getNamespace).orElse("");
  }

  public String application() {
    return task.map(TaskActivation::getApplication).orElse("");
  }

  public String reason() {
    return header(REASON);
  }

  /// Topic of the last attempt.
  public String topic() {
    return header(PREFIX + "topic");
  }

  /// Record of the last attempt.
  public Optional<Position> origin() {
    try {
      return Optional.of(
          Position.of(header(PREFIX + "partition") + ":" + header(PREFIX + "offset")));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /// Id of the first attempt.
  public String firstId() {
    String header = header(TaskIdentity.FIRST_ID_HEADER);
    return !header.isEmpty()
        ? header
        : task.map(it -> it.getHeadersOrDefault(TaskIdentity.FIRST_ID_HEADER, it.getId()))
            .orElse("");
  }

  /// Number of attempts; 0 if the message is no task.
  public long attempts() {
    return task.map(it -> Integer.toUnsignedLong(it.getRetryState().getAttempts()) + 1).orElse(0L);
  }

  /// Time of the failure; without a header the time of the record. Milliseconds since the epoch.
  public long failedAt() {
    try {
      return Instant.parse(header(PREFIX + "failed-at")).toEpochMilli();
    } catch (DateTimeParseException | ArithmeticException _) {
      return timestamp;
    }
  }

  private String header(String name) {
    @Nullable String value = headers.get(name);
    return value == null ? "" : value;
  }

  /// Identity of the failure: two dead letters with the same one are copies, as a broker produces
  /// that is killed before it learns that Kafka has the first.
  Ids.Fingerprint identity() {
    return Ids.fingerprint(
        String.join(
            "\n",
            task.isPresent() ? id() : position.toString(),
            topic(),
            header(PREFIX + "partition"),
            header(PREFIX + "offset"),
            header(PREFIX + "failed-at")));
  }
}
