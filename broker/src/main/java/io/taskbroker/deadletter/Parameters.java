package io.taskbroker.deadletter;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.util.HexFormat;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessagePackException;
import org.msgpack.core.MessageUnpacker;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Arguments of a task as JSON: `{"args": […], "kwargs": {…}}`. They are MessagePack, compressed by
/// zstd or not, or the older JSON text (reference-spec 2.3). Immutable.
///
/// @param arguments as JSON; values that JSON does not have appear as `{"$bytes": "hex"}`,
///   `{"$ext": [type, "hex"]}`, and keys that are no text as their JSON text
/// @param exact whether the JSON form holds everything, so that it can be written back
public record Parameters(JsonNode arguments, boolean exact) {
  /// Bound of the uncompressed arguments in bytes.
  static final int MAX_BYTES = 16 << 20;

  private static final String COMPRESSION = "compression-type";
  private static final String ZSTD = "zstd";
  private static final int LARGEST_WINDOW_LOG = 26;
  private static final int ZSTD_LEVEL = 3;
  private static final int MAX_DEPTH = 64;
  private static final int MAX_VALUES = 1_000_000;
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final JsonMapper JSON = new JsonMapper();

  /// Decodes the arguments of a task.
  ///
  /// @throws IllegalArgumentException if they cannot be decoded, or are more than 16 MiB
  public static Parameters of(TaskActivation task) {
    try {
      if (task.getParametersBytes().isEmpty() && !text(task).isEmpty()) {
        if (text(task).length() > MAX_BYTES) {
          throw new IOException("more than " + MAX_BYTES + " bytes");
        }
        return new Parameters(JSON.readTree(text(task)), true);
      }
      InputStream bytes = task.getParametersBytes().newInput();
      if (isCompressed(task)) {
        var expanded = new ZstdInputStreamNoFinalizer(bytes);
        expanded.setLongMax(LARGEST_WINDOW_LOG);
        bytes = expanded;
      }
      byte[] plain;
      try (InputStream in = bytes) {
        plain = in.readNBytes(MAX_BYTES + 1);
      }
      if (plain.length > MAX_BYTES) {
        throw new IOException("more than " + MAX_BYTES + " bytes");
      }
      if (plain.length == 0) {
        return new Parameters(NODES.objectNode(), true);
      }
      try (MessageUnpacker in = MessagePack.newDefaultUnpacker(plain)) {
        var reader = new Reader(in);
        JsonNode arguments = reader.value(0);
        return new Parameters(arguments, reader.exact && !in.hasNext());
      }
    } catch (IOException | MessagePackException | JacksonException e) {
      throw new IllegalArgumentException(
          "the arguments of task " + task.getId() + " cannot be decoded: " + e.getMessage(), e);
    }
  }

  @SuppressWarnings("deprecation") // older clients write it
  private static String text(TaskActivation task) {
    return task.getParametersJson();
  }

  private static boolean isCompressed(TaskActivation task) {
    return task.getHeadersOrDefault(COMPRESSION, "").equals(ZSTD);
  }

  /// Copy of the task with other arguments, in the encoding of the present ones.
  ///
  /// @param arguments as JSON: an object with `args`, a list, and `kwargs`, an object
  /// @throws IllegalArgumentException if the arguments have another form, or the present ones have
  ///   values that JSON does not have: those would be lost
  @SuppressWarnings("deprecation") // older clients write it
  public static TaskActivation replace(TaskActivation task, String arguments) {
    if (!of(task).exact()) {
      throw new IllegalArgumentException(
          "the arguments of task %s hold bytes or other values that JSON does not have, and cannot be edited"
              .formatted(task.getId()));
    }
    JsonNode json;
    try {
      json = JSON.readTree(arguments);
    } catch (JacksonException e) {
      throw new IllegalArgumentException("the new arguments are no JSON: " + e.getMessage(), e);
    }
    if (!json.isObject() || !json.path("args").isArray() || !json.path("kwargs").isObject()) {
      throw new IllegalArgumentException(
          "the new arguments must be of the form {\"args\": [], \"kwargs\": {}}");
    }
    if (task.getParametersBytes().isEmpty() && !text(task).isEmpty()) {
      return task.toBuilder().setParametersJson(json.toString()).build();
    }
    byte[] packed = pack(json);
    return task.toBuilder()
        .setParametersBytes(
            ByteString.copyFrom(isCompressed(task) ? Zstd.compress(packed, ZSTD_LEVEL) : packed))
        .build();
  }

  private static byte[] pack(JsonNode json) {
    try (MessageBufferPacker out = MessagePack.newDefaultBufferPacker()) {
      pack(out, json);
      return out.toByteArray();
    } catch (IOException e) {
      throw new IllegalArgumentException("the new arguments cannot be written: " + e, e);
    }
  }

  private static void pack(MessageBufferPacker out, JsonNode json) throws IOException {
    switch (json.getNodeType()) {
      case OBJECT -> {
        out.packMapHeader(json.size());
        for (var field : json.properties()) {
          out.packString(field.getKey());
          pack(out, field.getValue());
        }
      }
      case ARRAY -> {
        out.packArrayHeader(json.size());
        for (JsonNode item : json) {
          pack(out, item);
        }
      }
      case STRING -> out.packString(json.stringValue());
      case BOOLEAN -> out.packBoolean(json.booleanValue());
      case NUMBER -> {
        if (json.isIntegralNumber()) {
          packWhole(out, json.bigIntegerValue());
        } else {
          out.packDouble(json.doubleValue());
        }
      }
      default -> out.packNil();
    }
  }

  private static void packWhole(MessageBufferPacker out, BigInteger number) throws IOException {
    try {
      out.packBigInteger(number);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("MessagePack has no number as large as " + number, e);
    }
  }

  /// Reader of one value with all its parts.
  private static final class Reader {
    private final MessageUnpacker in;
    private boolean exact = true;
    private int values;

    Reader(MessageUnpacker in) {
      this.in = in;
    }

    JsonNode value(int depth) throws IOException {
      if (depth > MAX_DEPTH || ++values > MAX_VALUES) {
        throw new IOException(
            "nested deeper than %d, or more than %d values".formatted(MAX_DEPTH, MAX_VALUES));
      }
      return switch (in.getNextFormat().getValueType()) {
        case NIL -> {
          in.unpackNil();
          yield NODES.nullNode();
        }
        case BOOLEAN -> NODES.booleanNode(in.unpackBoolean());
        case INTEGER -> NODES.numberNode(in.unpackBigInteger());
        case FLOAT -> number(in.unpackDouble());
        case STRING -> NODES.stringNode(in.unpackString());
        case BINARY -> {
          exact = false;
          ObjectNode bytes = NODES.objectNode();
          yield bytes.put("$bytes", hex(in.unpackBinaryHeader()));
        }
        case EXTENSION -> {
          exact = false;
          var header = in.unpackExtensionTypeHeader();
          ObjectNode extension = NODES.objectNode();
          extension.putArray("$ext").add(header.getType()).add(hex(header.getLength()));
          yield extension;
        }
        case ARRAY -> {
          ArrayNode items = NODES.arrayNode();
          for (int left = in.unpackArrayHeader(); left > 0; left--) {
            items.add(value(depth + 1));
          }
          yield items;
        }
        case MAP -> {
          ObjectNode fields = NODES.objectNode();
          for (int left = in.unpackMapHeader(); left > 0; left--) {
            JsonNode key = value(depth + 1);
            exact &= key.isString();
            fields.set(key.isString() ? key.stringValue() : key.toString(), value(depth + 1));
          }
          yield fields;
        }
      };
    }

    private JsonNode number(double number) {
      if (Double.isFinite(number)) {
        return NODES.numberNode(number);
      }
      exact = false;
      return NODES.stringNode(Double.toString(number));
    }

    private String hex(int length) throws IOException {
      if (length > MAX_BYTES) {
        throw new IOException("a value of " + length + " bytes");
      }
      return HexFormat.of().formatHex(in.readPayload(length));
    }
  }
}
