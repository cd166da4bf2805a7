package io.taskbroker.rules;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.taskbroker.config.Literal;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;
import org.msgpack.value.ValueType;

/// Matcher of one activation's arguments against a selector; they are MessagePack, compressed or
/// not (reference-spec 2.3). It reads them as a stream, so that no input takes more memory than a
/// rules file may have bytes. Used once, by one thread.
///
/// Unlike in the reference, binary data among the arguments does no harm: it equals nothing.
final class Arguments {
  /// Bound of the uncompressed parameters in bytes; larger ones do not match.
  static final int MAX_BYTES = 64 << 20;

  private static final String COMPRESSION = "compression-type";
  private static final int LARGEST_WINDOW_LOG = 26;

  /// Bounds of a value: no rules file holds one that is nested deeper, has more parts, or longer
  /// text.
  private static final int MAX_DEPTH = 32;

  private static final int MAX_PARTS = 100_000;
  private static final int MAX_TEXT = 1 << 20;

  private final Selector selector;
  private final MessageUnpacker in;
  private final byte[] waste = new byte[512];

  /// Remaining budget of the value that is being read.
  private int parts;

  private int text;

  private Arguments(Selector selector, MessageUnpacker in) {
    this.selector = selector;
    this.in = in;
  }

  /// Whether the selector matches the activation. An undecodable activation does not match.
  ///
  /// @param activation a serialised `TaskActivation`
  static boolean match(Selector selector, byte[] activation) {
    try {
      TaskActivation decoded = TaskActivation.parseFrom(activation);
      InputStream bytes = decoded.getParametersBytes().newInput();
      if (decoded.getHeadersOrDefault(COMPRESSION, "").equals("zstd")) {
        var expanded = new ZstdInputStreamNoFinalizer(bytes);
        bytes = expanded;
        expanded.setLongMax(LARGEST_WINDOW_LOG);
      }
      try (MessageUnpacker in = MessagePack.newDefaultUnpacker(new Bounded(bytes))) {
        return new Arguments(selector, in).match();
      }
    } catch (IOException | RuntimeException | LinkageError _) {
      return false; // LinkageError: zstd does not support this machine
    }
  }

  /// Reads to the end even when the answer is known: broken arguments do not match.
  private boolean match() throws IOException {
    boolean selected = false;
    for (int left = in.unpackMapHeader(); left > 0; left--) {
      switch (key()) {
        case "args" -> selected |= positional();
        case "kwargs" -> selected |= keywords();
        default -> skip();
      }
    }
    return selected;
  }

  private boolean positional() throws IOException {
    boolean selected = false;
    int count = in.unpackArrayHeader();
    for (int i = 0; i < count; i++) {
      selected |= isAmong(selector.arguments().get(i));
    }
    return selected;
  }

  private boolean keywords() throws IOException {
    boolean selected = false;
    for (int left = in.unpackMapHeader(); left > 0; left--) {
      selected |= isAmong(selector.keywords().get(key()));
    }
    return selected;
  }

  /// Reads a key, which must be text; empty if it is too long to be relevant.
  private String key() throws IOException {
    text = MAX_TEXT;
    if (in.getNextFormat().getValueType() != ValueType.STRING) {
      throw new IOException("a key is not text");
    }
    String key = text();
    return key == null ? "" : key;
  }

  private boolean isAmong(@Nullable Set<Literal> values) throws IOException {
    if (values == null) {
      skip();
      return false;
    }
    parts = MAX_PARTS;
    text = MAX_TEXT;
    Literal value = value(0);
    return value != null && values.contains(value);
  }

  /// Reads the next value; null if no rules file could hold it.
  private @Nullable Literal value(int depth) throws IOException {
    if (depth > MAX_DEPTH || --parts < 0) {
      skip();
      return null;
    }
    return switch (in.getNextFormat().getValueType()) {
      case NIL -> {
        in.unpackNil();
        yield Literal.Nil.NIL;
      }
      case BOOLEAN -> new Literal.Bool(in.unpackBoolean());
      case INTEGER -> new Literal.Whole(in.unpackBigInteger());
      case FLOAT -> {
        double number = in.unpackDouble();
        yield Double.isNaN(number) ? null : new Literal.Real(number);
      }
      case STRING -> {
        String string = text();
        yield string == null ? null : new Literal.Text(string);
      }
      case ARRAY -> items(depth);
      case MAP -> fields(depth);
      case BINARY, EXTENSION -> {
        skip();
        yield null;
      }
    };
  }

  private @Nullable Literal items(int depth) throws IOException {
    List<Literal> items = new ArrayList<>();
    boolean whole = true;
    for (int left = in.unpackArrayHeader(); left > 0; left--) {
      Literal item = whole ? value(depth + 1) : null;
      if (!whole) {
        skip();
      } else if (item == null) {
        whole = false;
      } else {
        items.add(item);
      }
    }
    return whole ? new Literal.Items(items) : null;
  }

  private @Nullable Literal fields(int depth) throws IOException {
    Map<String, Literal> fields = new HashMap<>();
    boolean whole = true;
    for (int left = in.unpackMapHeader(); left > 0; left--) {
      Literal key = whole ? value(depth + 1) : null;
      if (!whole) {
        skip();
      }
      Literal field = key == null ? null : value(depth + 1);
      if (key == null) {
        skip();
      }
      if (field != null && key instanceof Literal.Text(String name)) {
        fields.put(name, field);
      } else {
        whole = false;
      }
    }
    return whole ? new Literal.Fields(fields) : null;
  }

  /// Skips the next value with all its parts. The unpacker's own skip stops early if the announced
  /// sizes overflow their sum.
  private void skip() throws IOException {
    for (long left = 1; left > 0; left--) {
      switch (in.getNextFormat().getValueType()) {
        case ARRAY -> left += in.unpackArrayHeader();
        case MAP -> left += 2L * in.unpackMapHeader();
        default -> in.skipValue();
      }
    }
  }

  /// Reads text; null if it exceeds the budget.
  private @Nullable String text() throws IOException {
    int length = in.unpackRawStringHeader();
    text -= Math.min(length, text + 1);
    if (text >= 0) {
      return new String(in.readPayload(length), UTF_8);
    }
    while (length > 0) {
      int some = Math.min(length, waste.length);
      in.readPayload(waste, 0, some);
      length -= some;
    }
    return null;
  }

  /// Stream that fails after [#MAX_BYTES].
  private static final class Bounded extends InputStream {
    private final InputStream in;
    private int left = MAX_BYTES;

    Bounded(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int count = in.read(buffer, offset, length);
      left -= Math.max(count, 0);
      if (left < 0) {
        throw new IOException("more than " + MAX_BYTES + " bytes of parameters");
      }
      return count;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
