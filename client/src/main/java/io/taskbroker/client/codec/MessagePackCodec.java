package io.taskbroker.client.codec;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.util.Map;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// MessagePack in the form of the published Python client: a map of `args` and `kwargs`.
final class MessagePackCodec implements PayloadCodec {
  static final MessagePackCodec INSTANCE = new MessagePackCodec();
  static final String CONTENT_TYPE = "application/msgpack";

  /// Deeper values are refused: reading is recursive.
  private static final int MAX_DEPTH = 200;

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private MessagePackCodec() {}

  @Override
  public String contentType() {
    return CONTENT_TYPE;
  }

  @Override
  public byte[] encode(Object value) {
    try (MessageBufferPacker packer = MessagePack.newDefaultBufferPacker()) {
      JsonNode tree = JsonCodec.MAPPER.valueToTree(value);
      packer.packMapHeader(2);
      packer.packString("args");
      packer.packArrayHeader(tree.isObject() ? 0 : 1);
      if (!tree.isObject()) {
        write(packer, tree);
      }
      packer.packString("kwargs");
      write(packer, tree.isObject() ? tree : NODES.objectNode());
      return packer.toByteArray();
    } catch (JacksonException | IOException e) {
      throw new IllegalArgumentException(
          "Could not write " + value.getClass().getName() + " as MessagePack: " + e.getMessage(),
          e);
    }
  }

  @Override
  public <T> T decode(byte[] bytes, Class<T> type) {
    JsonNode call;
    try (MessageUnpacker unpacker = MessagePack.newDefaultUnpacker(bytes)) {
      call = read(unpacker, 0);
    } catch (IOException | RuntimeException e) {
      throw new IllegalArgumentException(
          "Could not read a " + type.getName() + " from MessagePack: " + e.getMessage(), e);
    }
    return decode(call, type);
  }

  /// Reads the argument of a call `{"args": […], "kwargs": {…}}`. Positional arguments are those of
  /// the first components of the record; a single one that is no record is the argument itself.
  static <T> T decode(JsonNode call, Class<T> type) {
    JsonNode args = call.path("args");
    JsonNode keywords = call.path("kwargs");
    JsonNode argument;
    if (type.isRecord()) {
      ObjectNode fields = NODES.objectNode();
      RecordComponent[] components = type.getRecordComponents();
      if (args.size() > components.length) {
        throw new IllegalArgumentException(
            "Could not read a " + type.getName() + ": " + args.size() + " positional arguments");
      }
      for (int i = 0; i < args.size(); i++) {
        fields.set(components[i].getName(), args.get(i));
      }
      keywords.properties().forEach(field -> fields.set(field.getKey(), field.getValue()));
      argument = fields;
    } else {
      argument = args.size() == 1 && keywords.isEmpty() ? args.get(0) : keywords;
    }
    try {
      T value = JsonCodec.MAPPER.treeToValue(argument, type);
      if (value == null) {
        throw new IllegalArgumentException("Could not read a " + type.getName() + " from null");
      }
      return value;
    } catch (JacksonException e) {
      throw new IllegalArgumentException(
          "Could not read a " + type.getName() + ": " + e.getOriginalMessage(), e);
    }
  }

  private static void write(MessageBufferPacker packer, JsonNode node) throws IOException {
    switch (node.getNodeType()) {
      case OBJECT -> {
        packer.packMapHeader(node.size());
        for (Map.Entry<String, JsonNode> field : node.properties()) {
          packer.packString(field.getKey());
          write(packer, field.getValue());
        }
      }
      case ARRAY -> {
        packer.packArrayHeader(node.size());
        for (JsonNode each : node) {
          write(packer, each);
        }
      }
      case STRING -> packer.packString(node.stringValue());
      case BOOLEAN -> packer.packBoolean(node.booleanValue());
      case BINARY -> {
        byte[] bytes = node.binaryValue();
        packer.packBinaryHeader(bytes.length);
        packer.writePayload(bytes);
      }
      case NUMBER -> {
        if (node.isIntegralNumber()) {
          packer.packBigInteger(node.bigIntegerValue());
        } else {
          packer.packDouble(node.doubleValue());
        }
      }
      case NULL, MISSING -> packer.packNil();
      case POJO -> throw new IOException("no MessagePack type for " + node);
    }
  }

  private static JsonNode read(MessageUnpacker unpacker, int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw new IOException("nested deeper than " + MAX_DEPTH);
    }
    return switch (unpacker.getNextFormat().getValueType()) {
      case NIL -> {
        unpacker.unpackNil();
        yield NODES.nullNode();
      }
      case BOOLEAN -> NODES.booleanNode(unpacker.unpackBoolean());
      case INTEGER -> NODES.numberNode(unpacker.unpackBigInteger());
      case FLOAT -> NODES.numberNode(unpacker.unpackDouble());
      case STRING -> NODES.stringNode(unpacker.unpackString());
      case BINARY -> NODES.binaryNode(unpacker.readPayload(unpacker.unpackBinaryHeader()));
      case ARRAY -> {
        ArrayNode array = NODES.arrayNode();
        for (int left = unpacker.unpackArrayHeader(); left > 0; left--) {
          array.add(read(unpacker, depth + 1));
        }
        yield array;
      }
      case MAP -> {
        ObjectNode object = NODES.objectNode();
        for (int left = unpacker.unpackMapHeader(); left > 0; left--) {
          JsonNode key = read(unpacker, depth + 1);
          object.set(key.asString(), read(unpacker, depth + 1));
        }
        yield object;
      }
      case EXTENSION -> throw new IOException("extension types are not supported");
    };
  }
}
