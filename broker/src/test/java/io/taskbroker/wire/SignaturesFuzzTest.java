package io.taskbroker.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.fuzz.Portions;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary signature headers (reference-spec 2.4), checked before the message is decoded.
/// Accepted is exactly what an HMAC-SHA256 built from two hashes accepts.
final class SignaturesFuzzTest {
  private static final String PATH = "/sentry_protos.taskbroker.v1.ConsumerService/GetTask";
  private static final List<String> SECRETS = List.of("new", "a secret that is longer");
  private static final Signatures.Signer SIGNER = new Signatures(SECRETS).forPath(PATH);

  @MethodSource("seeds")
  @FuzzTest
  void rejectsForgedSignatures(byte[] input) throws Exception {
    var portions = new Portions(input);
    int change = portions.number();
    byte[] claim = portions.bytes();
    byte[] message = portions.rest();

    String claimed = new String(claim, ISO_8859_1);
    assertThat(SIGNER.accepts(message, claimed)).isEqualTo(isGenuine(message, claimed));
    String signature = hmac(SECRETS.get(change % 2), message);
    assertThat(SIGNER.accepts(message, signature)).isTrue();
    assertThat(SIGNER.accepts(message, signature + claimed)).isEqualTo(claimed.isEmpty());
    assertThat(SIGNER.accepts(message, changed(signature, change))).isFalse();
    assertThat(new Signatures(SECRETS).forPath(PATH + "s").accepts(message, signature)).isFalse();
    if (claim.length > 0) {
      byte[] longer = Arrays.copyOf(message, message.length + claim.length);
      System.arraycopy(claim, 0, longer, message.length, claim.length);
      assertThat(SIGNER.accepts(longer, signature)).isFalse();
    }
  }

  private static boolean isGenuine(byte[] message, String claimed) throws Exception {
    for (String secret : SECRETS) {
      if (hmac(secret, message).equals(claimed.toLowerCase(Locale.ROOT))) {
        return true;
      }
    }
    return false;
  }

  /// Signature with one bit flipped.
  private static String changed(String signature, int bit) {
    var number = new BigInteger(signature, 16).flipBit(bit);
    return "0".repeat(64).substring(number.toString(16).length()) + number.toString(16);
  }

  /// RFC 2104, for secrets no longer than a block.
  private static String hmac(String secret, byte[] message) throws NoSuchAlgorithmException {
    byte[] inner = Arrays.copyOf(secret.getBytes(UTF_8), 64);
    byte[] outer = inner.clone();
    for (int i = 0; i < inner.length; i++) {
      inner[i] ^= 0x36;
      outer[i] ^= 0x5C;
    }
    var sha = MessageDigest.getInstance("SHA-256");
    sha.update(inner);
    sha.update((PATH + ":").getBytes(UTF_8));
    byte[] hash = sha.digest(message);
    sha.update(outer);
    return "%064x".formatted(new BigInteger(1, sha.digest(hash)));
  }

  static Stream<byte[]> seeds() throws NoSuchAlgorithmException {
    byte[] hello = "hello".getBytes(UTF_8);
    String good = hmac("new", hello);
    return Stream.of(
        new Portions.Seed().number(0).text(good).rest(hello),
        new Portions.Seed().number(255).text(good.toUpperCase(Locale.ROOT)).rest(hello),
        new Portions.Seed().number(7).text(good.substring(1)).rest(hello),
        new Portions.Seed().number(8).text("z" + good.substring(1)).rest(hello),
        new Portions.Seed().number(9).bytes(new byte[64]).rest(hello),
        new Portions.Seed().number(1).text("").rest(new byte[0]));
  }
}
