package io.taskbroker.client.codec;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Conversion of arguments and results to bytes and back: codec, compression, encryption.
/// Immutable, thread-safe.
public final class Payloads {
  /// Header that names the codec; without it MessagePack, as the Python client writes it.
  public static final String CONTENT_TYPE = "content-type";

  /// `zstd` for one zstd frame with its size, which the Python client reads too.
  public static final String COMPRESSION = "compression-type";

  /// Name of the cipher.
  public static final String ENCRYPTION = "content-encryption";

  /// Largest decompressed argument.
  static final int MAX_DECOMPRESSED = 64 << 20;

  private static final String ZSTD = "zstd";
  private static final String NO_ZSTD = "add com.github.luben:zstd-jni to the class path";
  private static final String PLAIN = "plaintext";
  private static final int NEVER = Integer.MAX_VALUE;

  private final PayloadCodec codec;
  private final int compressAbove;
  private final @Nullable PayloadCipher cipher;

  private Payloads(PayloadCodec codec, int compressAbove, @Nullable PayloadCipher cipher) {
    this.codec = codec;
    this.compressAbove = compressAbove;
    this.cipher = cipher;
  }

  /// JSON, neither compressed nor encrypted.
  public static Payloads json() {
    return new Payloads(PayloadCodec.json(), NEVER, null);
  }

  /// Copy that writes with another codec; it still reads each known one.
  public Payloads codec(PayloadCodec codec) {
    return new Payloads(codec, compressAbove, cipher);
  }

  /// Arguments of more bytes are compressed by zstd. Needs `com.github.luben:zstd-jni`.
  public Payloads compressAbove(int bytes) {
    return new Payloads(codec, bytes, cipher);
  }

  public Payloads cipher(PayloadCipher cipher) {
    return new Payloads(codec, compressAbove, cipher);
  }

  /// An encoded argument.
  public static final class Encoded {
    private final byte[] bytes;
    private final Map<String, String> headers;

    private Encoded(byte[] bytes, Map<String, String> headers) {
      this.bytes = bytes;
      this.headers = Map.copyOf(headers);
    }

    /// Not a copy.
    public byte[] bytes() {
      return bytes;
    }

    /// They say how to decode it.
    public Map<String, String> headers() {
      return headers;
    }
  }

  /// @param own codec of the task, in place of the default one
  /// @throws IllegalArgumentException if the value cannot be encoded
  public Encoded encode(Object value, Optional<PayloadCodec> own) {
    PayloadCodec by = own.orElse(codec);
    var headers = new HashMap<String, String>();
    byte[] bytes = by.encode(value);
    headers.put(CONTENT_TYPE, by.contentType());
    if (bytes.length > compressAbove) {
      bytes = compressed(bytes);
      headers.put(COMPRESSION, ZSTD);
    }
    if (cipher != null) {
      bytes = cipher.seal(bytes);
      headers.put(ENCRYPTION, cipher.name());
    }
    return new Encoded(bytes, headers);
  }

  /// @param jsonCall arguments in the form of old publishers, used if there are no bytes
  /// @throws IllegalArgumentException if the bytes are not an encoded value of the type
  public <T> T decode(
      byte[] encoded,
      String jsonCall,
      Map<String, String> headers,
      Class<T> type,
      Optional<PayloadCodec> own) {
    if (encoded.length == 0 && !jsonCall.isEmpty()) {
      return MessagePackCodec.decode(JsonCodec.MAPPER.readTree(jsonCall), type);
    }
    byte[] bytes = opened(encoded, headers.get(ENCRYPTION));
    bytes = decompressed(bytes, headers.getOrDefault(COMPRESSION, PLAIN));
    String contentType = headers.getOrDefault(CONTENT_TYPE, MessagePackCodec.CONTENT_TYPE);
    return codecOf(contentType, own).decode(bytes, type);
  }

  /// Results are JSON, whatever the codec of the arguments.
  ///
  /// @throws IllegalArgumentException if it cannot be encoded
  public byte[] encodeResult(Object result) {
    byte[] bytes = PayloadCodec.json().encode(result);
    return cipher == null ? bytes : cipher.seal(bytes);
  }

  /// @throws IllegalArgumentException if it cannot be decoded as the type
  public <R> R decodeResult(byte[] result, Class<R> type) {
    return PayloadCodec.json().decode(cipher == null ? result : cipher.open(result), type);
  }

  private PayloadCodec codecOf(String contentType, Optional<PayloadCodec> own) {
    for (PayloadCodec each : own.map(it -> List.of(it, codec)).orElse(List.of(codec))) {
      if (each.contentType().equals(contentType)) {
        return each;
      }
    }
    return switch (contentType) {
      case "application/json" -> PayloadCodec.json();
      case MessagePackCodec.CONTENT_TYPE -> PayloadCodec.messagePack();
      default ->
          throw new IllegalArgumentException(
              "No codec for content-type " + contentType + ": give one to the client");
    };
  }

  private byte[] opened(byte[] bytes, @Nullable String by) {
    if (by == null) {
      return bytes;
    }
    if (cipher == null || !cipher.name().equals(by)) {
      throw new IllegalArgumentException(
          "The argument is encrypted by " + by + ", and the client has no cipher of this name");
    }
    return cipher.open(bytes);
  }

  private static byte[] decompressed(byte[] bytes, String by) {
    if (by.equals(PLAIN)) {
      return bytes;
    }
    if (!by.equals(ZSTD)) {
      throw new IllegalArgumentException("Unknown compression-type " + by);
    }
    try {
      return Zstandard.decompress(bytes, MAX_DECOMPRESSED);
    } catch (NoClassDefFoundError e) {
      throw new IllegalArgumentException("The argument is compressed: " + NO_ZSTD, e);
    }
  }

  private static byte[] compressed(byte[] bytes) {
    try {
      return Zstandard.compress(bytes);
    } catch (NoClassDefFoundError e) {
      throw new IllegalArgumentException("Could not compress the argument: " + NO_ZSTD, e);
    }
  }
}
