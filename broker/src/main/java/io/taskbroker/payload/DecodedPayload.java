package io.taskbroker.payload;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Payload of a task, decoded for people. Immutable.
///
/// @param headers without the values of secret ones
/// @param attempt 1 for the first, one more for each retry
/// @param maxAttempts 0 if the publisher set none
/// @param arguments text, numbers, lists and maps, without secret values; null if they cannot be
///   decoded
/// @param problem why they cannot be decoded, or are incomplete; empty if they are complete
public record DecodedPayload(
    Map<String, String> headers,
    long attempt,
    long maxAttempts,
    Optional<Object> arguments,
    String problem) {
  private static final int MAX_HEADERS = 200;
  private static final int LONGEST_VALUE = 4_096;
  private static final String COMPRESSION = "compression-type";

  /// Decodes a serialised activation. Never fails: what cannot be decoded is described.
  public static DecodedPayload of(byte[] payload, Redaction redaction) {
    TaskActivation activation;
    try {
      activation = TaskActivation.parseFrom(payload);
    } catch (InvalidProtocolBufferException e) {
      return new DecodedPayload(
          Map.of(), 0, 0, Optional.empty(), "the message is not an activation: " + e.getMessage());
    }
    Map<String, String> headers = headers(activation, redaction);
    long attempt = Integer.toUnsignedLong(activation.getRetryState().getAttempts()) + 1;
    long max = Integer.toUnsignedLong(activation.getRetryState().getMaxAttempts());
    try {
      Arguments arguments =
          Arguments.of(
              activation,
              activation.getHeadersOrDefault(COMPRESSION, "").equals("zstd"),
              redaction);
      return new DecodedPayload(
          headers, attempt, max, Optional.ofNullable(arguments.value()), arguments.problem());
    } catch (IOException | RuntimeException | LinkageError e) {
      return new DecodedPayload(
          headers, attempt, max, Optional.empty(), "the arguments cannot be decoded: " + e);
    }
  }

  private static Map<String, String> headers(TaskActivation activation, Redaction redaction) {
    var shown = new LinkedHashMap<String, String>();
    for (var header : new TreeMap<>(activation.getHeadersMap()).entrySet()) {
      if (shown.size() == MAX_HEADERS) {
        break;
      }
      String value = header.getValue();
      shown.put(
          cut(header.getKey()), redaction.hides(header.getKey()) ? Redaction.HIDDEN : cut(value));
    }
    return shown;
  }

  static String cut(String text) {
    return text.length() > LONGEST_VALUE ? text.substring(0, LONGEST_VALUE) + "…" : text;
  }
}
