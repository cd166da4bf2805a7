package io.taskbroker.client.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.File;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.msgpack.core.MessagePack;
import org.msgpack.value.ValueFactory;

/// Arguments to bytes and back, and how they evolve.
final class PayloadsTest {
  record Line(String article, int count) {}

  @SuppressWarnings("ArrayRecordComponent")
  record Order(
      String number, long amount, List<Line> lines, Map<String, String> notes, byte[] stamp) {}

  record Small(String number, int amount) {}

  private static final Order ORDER =
      new Order(
          "4711", 1L << 40, List.of(new Line("äpfel", 3)), Map.of("k", "v"), new byte[] {1, -2});

  static List<PayloadCodec> codecs() {
    return List.of(PayloadCodec.json(), PayloadCodec.messagePack());
  }

  private static <T> T decode(Payloads by, Payloads.Encoded encoded, Class<T> type) {
    return by.decode(encoded.bytes(), "", encoded.headers(), type, Optional.empty());
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void aRecordComesBackAsItWas(PayloadCodec codec) {
    Payloads.Encoded encoded = Payloads.json().encode(ORDER, Optional.of(codec));
    assertThat(decode(Payloads.json(), encoded, Order.class))
        .usingRecursiveComparison()
        .isEqualTo(ORDER);
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void unknownFieldsAreIgnoredAndMissingOnesAreEmpty(PayloadCodec codec) {
    Payloads.Encoded whole = Payloads.json().encode(ORDER, Optional.of(codec));
    record Fewer(String number) {}
    assertThat(decode(Payloads.json(), whole, Fewer.class)).isEqualTo(new Fewer("4711"));
    record More(String number, int amount, int added, @Nullable String text) {}
    Payloads.Encoded small = Payloads.json().encode(new Small("1", 2), Optional.of(codec));
    assertThat(decode(Payloads.json(), small, More.class)).isEqualTo(new More("1", 2, 0, null));
  }

  @ParameterizedTest
  @MethodSource("codecs")
  void valuesThatAreNoRecordsPass(PayloadCodec codec) {
    Payloads.Encoded encoded = Payloads.json().encode("text", Optional.of(codec));
    assertThat(decode(Payloads.json(), encoded, String.class)).isEqualTo("text");
    record Times(Instant at, BigDecimal sum) {}
    Times times = new Times(Instant.ofEpochSecond(1_700_000_000), new BigDecimal("1.5"));
    assertThat(
            decode(Payloads.json(), Payloads.json().encode(times, Optional.of(codec)), Times.class))
        .isEqualTo(times);
  }

  @Test
  void messagePackIsWhatThePythonClientWrites() throws Exception {
    byte[] bytes = PayloadCodec.messagePack().encode(new Small("1", 2));
    try (var unpacker = MessagePack.newDefaultUnpacker(bytes)) {
      assertThat(unpacker.unpackValue())
          .isEqualTo(
              ValueFactory.newMap(
                  ValueFactory.newString("args"), ValueFactory.emptyArray(),
                  ValueFactory.newString("kwargs"),
                      ValueFactory.newMap(
                          ValueFactory.newString("number"), ValueFactory.newString("1"),
                          ValueFactory.newString("amount"), ValueFactory.newInteger(2))));
    }
  }

  @Test
  void positionalArgumentsOfPythonAreComponentsInTheirOrder() throws Exception {
    try (var packer = MessagePack.newDefaultBufferPacker()) {
      packer.packMapHeader(2).packString("args").packArrayHeader(1).packString("7");
      packer.packString("kwargs").packMapHeader(1).packString("amount").packInt(9);
      assertThat(
              Payloads.json()
                  .decode(packer.toByteArray(), "", Map.of(), Small.class, Optional.empty()))
          .isEqualTo(new Small("7", 9));
    }
  }

  @Test
  void oldPublishersWriteJson() {
    assertThat(
            Payloads.json()
                .decode(
                    new byte[0],
                    "{\"args\": [\"7\"], \"kwargs\": {\"amount\": 9}}",
                    Map.of(),
                    Small.class,
                    Optional.empty()))
        .isEqualTo(new Small("7", 9));
  }

  @Test
  void largeArgumentsAreCompressedWithTheirSizeInTheFrame() {
    Payloads payloads = Payloads.json().compressAbove(1_000);
    assertThat(payloads.encode("x".repeat(998), Optional.empty()).headers())
        .doesNotContainKey(Payloads.COMPRESSION);
    Payloads.Encoded encoded = payloads.encode("x".repeat(999), Optional.empty());
    assertThat(encoded.headers()).containsEntry("compression-type", "zstd");
    assertThat(Zstd.getFrameContentSize(encoded.bytes())).isEqualTo(1_001);
    assertThat(decode(Payloads.json(), encoded, String.class)).hasSize(999);
  }

  @Test
  void aFrameThatExpandsTooFarIsRefused() {
    byte[] bomb = Zstd.compress(new byte[Payloads.MAX_DECOMPRESSED + 1]);
    assertThatThrownBy(() ->
            Payloads.json()
                .decode(
                    bomb, "", Map.of("compression-type", "zstd"), String.class, Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("67108865 bytes");
  }

  @Test
  void deepNestingIsRefused() {
    byte[] deep = new byte[100_000];
    java.util.Arrays.fill(deep, (byte) 0x91);
    assertThatThrownBy(() -> PayloadCodec.messagePack().decode(deep, Small.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nested deeper");
  }

  @Test
  void theCipherSealsAndIsNamed() {
    PayloadCipher xor = new Xor("key-1");
    Payloads payloads = Payloads.json().cipher(xor);
    Payloads.Encoded encoded = payloads.encode("secret", Optional.empty());
    assertThat(new String(encoded.bytes(), StandardCharsets.ISO_8859_1)).doesNotContain("secret");
    assertThat(decode(payloads, encoded, String.class)).isEqualTo("secret");
    assertThat(payloads.decodeResult(payloads.encodeResult("r"), String.class)).isEqualTo("r");
    assertThatThrownBy(() -> decode(Payloads.json(), encoded, String.class))
        .hasMessageContaining("key-1");
    assertThatThrownBy(
            () -> decode(Payloads.json().cipher(new Xor("key-2")), encoded, String.class))
        .hasMessageContaining("key-1");
  }

  private record Xor(String name) implements PayloadCipher {
    @Override
    public byte[] seal(byte[] plain) {
      byte[] sealed = plain.clone();
      for (int i = 0; i < sealed.length; i++) {
        sealed[i] ^= 0x55;
      }
      return sealed;
    }

    @Override
    public byte[] open(byte[] sealed) {
      return seal(sealed);
    }
  }

  /// An optional library is not on the class path of who does not use it.
  @Test
  void withoutTheLibraryOnlyCompressionFails() throws Exception {
    List<URL> all = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      all.add(Path.of(entry).toUri().toURL());
    }
    try (var loader =
        new URLClassLoader(all.toArray(URL[]::new), ClassLoader.getPlatformClassLoader()) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("com.github.luben.")) {
              throw new ClassNotFoundException(name);
            }
            return super.loadClass(name, resolve);
          }
        }) {
      Class<?> payloads = loader.loadClass(Payloads.class.getName());
      Object json = payloads.getMethod("json").invoke(null);
      Method encode = payloads.getMethod("encode", Object.class, Optional.class);
      assertThat(encode.invoke(json, "text", Optional.empty())).isNotNull();
      Object eager = payloads.getMethod("compressAbove", int.class).invoke(json, 0);
      assertThatThrownBy(() -> encode.invoke(eager, "text", Optional.empty()))
          .rootCause()
          .isInstanceOf(ClassNotFoundException.class);
      assertThatThrownBy(() -> encode.invoke(eager, "text", Optional.empty()))
          .cause()
          .hasMessageContaining("add com.github.luben:zstd-jni");
    }
  }
}
