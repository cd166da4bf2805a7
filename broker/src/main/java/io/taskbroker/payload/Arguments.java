package io.taskbroker.payload;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/// Arguments of one activation, decoded from MessagePack or JSON within bounds: what exceeds them
/// is left out, and the problem says so. Used once, by one thread.
final class Arguments {
  private static final int MAX_DEPTH = 32;
  private static final int MAX_PARTS = 10_000;
  private static final int MAX_BYTES = 16 << 20;
  private static final int MAX_TEXT_BYTES = 64 << 10;
  private static final int LARGEST_WINDOW_LOG = 24;

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxDocumentLength(MAX_BYTES)
                          .build())
                  .build())
          .build();

  private final Redaction redaction;
  private int parts = MAX_PARTS;
  private String problem = "";
  private @Nullable Object value;

  private Arguments(Redaction redaction) {
    this.redaction = redaction;
  }

  static Arguments of(TaskActivation activation, boolean zstd, Redaction redaction)
      throws IOException {
    var arguments = new Arguments(redaction);
    if (activation.getParametersBytes().isEmpty()) {
      arguments.readJson(text(activation));
      return arguments;
    }
    InputStream bytes = activation.getParametersBytes().newInput();
    if (zstd) {
      var expanded = new ZstdInputStreamNoFinalizer(bytes);
      expanded.setLongMax(LARGEST_WINDOW_LOG);
      bytes = expanded;
    }
    byte[] content = bytes.readNBytes(MAX_BYTES + 1);
    if (content.length > MAX_BYTES) {
      throw new IOException("they are larger than " + MAX_BYTES + " bytes");
    }
    if (content.length > 1 && (content[0] == '{' || content[0] == '[')) {
      // A client that enqueues directly. As MessagePack these are numbers, which have one byte.
      arguments.readJson(new String(content, UTF_8));
      return arguments;
    }
    try (MessageUnpacker in = MessagePack.newDefaultUnpacker(content)) {
      arguments.value = arguments.read(in, 0, "");
    }
    return arguments;
  }

  @SuppressWarnings("deprecation") // older publishers send it
  private static String text(TaskActivation activation) {
    return activation.getParametersJson();
  }

  @Nullable Object value() {
    return value;
  }

  String problem() {
    return problem;
  }

  private void readJson(String text) {
    if (!text.isEmpty()) {
      try {
        value = copy(JSON.readValue(text, Object.class), 0, "");
      } catch (JacksonException e) {
        problem = "the arguments are not JSON: " + e.getOriginalMessage();
      }
    }
  }

  /// Copy without secrets and within the bounds.
  private @Nullable Object copy(@Nullable Object from, int depth, String name) {
    if (redaction.hides(name)) {
      return Redaction.HIDDEN;
    }
    if (--parts < 0 || depth > MAX_DEPTH) {
      return tooMuch();
    }
    return switch (from) {
      case Map<?, ?> map -> {
        var copy = new LinkedHashMap<String, @Nullable Object>();
        map.forEach((key, child) -> {
          String text = String.valueOf(key);
          copy.put(DecodedPayload.cut(text), copy(child, depth + 1, text));
        });
        yield copy;
      }
      case Iterable<?> list -> {
        var copy = new ArrayList<@Nullable Object>();
        list.forEach(child -> copy.add(copy(child, depth + 1, "")));
        yield copy;
      }
      case String text -> DecodedPayload.cut(text);
      case null, default -> from;
    };
  }

  private @Nullable Object read(MessageUnpacker in, int depth, String name) throws IOException {
    if (--parts < 0 || depth > MAX_DEPTH) {
      in.skipValue();
      return tooMuch();
    }
    if (redaction.hides(name)) {
      in.skipValue();
      return Redaction.HIDDEN;
    }
    return switch (in.getNextFormat().getValueType()) {
      case NIL -> {
        in.unpackNil();
        yield null;
      }
      case BOOLEAN -> in.unpackBoolean();
      case INTEGER -> in.unpackBigInteger();
      case FLOAT -> number(in.unpackDouble());
      case STRING -> text(in);
      case ARRAY -> {
        var list = new ArrayList<@Nullable Object>();
        for (int left = in.unpackArrayHeader(); left > 0; left--) {
          add(list, in, depth);
        }
        yield list;
      }
      case MAP -> {
        var map = new LinkedHashMap<String, @Nullable Object>();
        for (int left = in.unpackMapHeader(); left > 0; left--) {
          String key = String.valueOf(read(in, depth + 1, ""));
          map.put(key, read(in, depth + 1, key));
        }
        yield map;
      }
      case BINARY, EXTENSION -> {
        in.skipValue();
        yield "[binary]";
      }
    };
  }

  private void add(List<@Nullable Object> list, MessageUnpacker in, int depth) throws IOException {
    if (parts > 0) {
      list.add(read(in, depth + 1, ""));
    } else {
      in.skipValue();
      String _ = tooMuch();
    }
  }

  /// JSON has no infinities.
  private static Object number(double value) {
    return Double.isFinite(value) ? value : Double.toString(value);
  }

  private static String text(MessageUnpacker in) throws IOException {
    int length = in.unpackRawStringHeader();
    byte[] bytes = in.readPayload(Math.min(length, MAX_TEXT_BYTES));
    for (int left = length - bytes.length; left > 0; ) {
      int skipped = Math.min(left, MAX_TEXT_BYTES);
      byte[] _ = in.readPayload(skipped);
      left -= skipped;
    }
    return DecodedPayload.cut(new String(bytes, UTF_8));
  }

  private String tooMuch() {
    problem = "the arguments are shown in part: they are too large or too deep";
    return "[…]";
  }
}
