package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Interner of the names that recur in messages: one copy of each serves all activations in memory.
/// A recent name is found by its bytes, without decoding a string. When the number of names reaches
/// the bound, all copies are discarded. Not thread-safe.
final class NameInterner {
  private static final int MAX_NAMES = 4096;
  private static final int SLOTS = 1024; // a power of two

  private final Map<String, String> names = new HashMap<>();
  private final @Nullable Name[] recent = new @Nullable Name[SLOTS];

  @SuppressWarnings("ArrayRecordComponent") // compared by its owner
  private record Name(byte[] utf8, String text) {}

  /// Reads a text field whose tag was read.
  ///
  /// @param value all bytes that `in` reads
  /// @throws InvalidProtocolBufferException if it is not UTF-8
  String read(CodedInputStream in, byte[] value) throws IOException {
    int length = in.readRawVarint32();
    int start = in.getTotalBytesRead();
    in.skipRawBytes(length);
    int end = start + length;
    int slot = slot(value, start, end);
    Name known = recent[slot];
    if (known != null && Arrays.equals(known.utf8, 0, known.utf8.length, value, start, end)) {
      return known.text;
    }
    String name = decode(value, start, length);
    if (length > ActivationDecoder.MAX_NAME_BYTES) {
      return name; // the caller refuses it
    }
    name = shared(name);
    recent[slot] = new Name(Arrays.copyOfRange(value, start, end), name);
    return name;
  }

  private static int slot(byte[] value, int start, int end) {
    int hash = 1;
    for (int i = start; i < end; i++) {
      hash = 31 * hash + value[i];
    }
    return (hash ^ hash >>> 16) & SLOTS - 1;
  }

  private static String decode(byte[] value, int start, int length)
      throws InvalidProtocolBufferException {
    if (!UnsafeByteOperations.unsafeWrap(value, start, length).isValidUtf8()) {
      throw new InvalidProtocolBufferException("text is not UTF-8");
    }
    return new String(value, start, length, UTF_8);
  }

  private String shared(String name) {
    String known = names.putIfAbsent(name, name);
    if (known != null) {
      return known;
    }
    if (names.size() > MAX_NAMES) {
      names.clear();
      names.put(name, name);
    }
    return name;
  }
}
