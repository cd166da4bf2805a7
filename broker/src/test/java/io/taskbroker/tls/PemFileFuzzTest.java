package io.taskbroker.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.CertificateAuthority.Issued;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary contents of TLS files: rejected with one kind of exception, which reveals nothing of a
/// key.
final class PemFileFuzzTest {
  /// Longest part of a key that may appear in a message.
  private static final Pattern PART = Pattern.compile("[A-Za-z0-9+/=]{20}");

  @TempDir private static Path folder;
  private static Issued good;

  @BeforeAll
  static void issue() {
    good = new CertificateAuthority("authority").issue(folder, "server", "localhost");
  }

  @MethodSource("seeds")
  @FuzzTest
  void filesAreReadOrRejected(byte[] input) throws IOException {
    var portions = new Portions(input);
    int form = portions.number();
    byte[] bytes = portions.rest();
    Path file = folder.resolve("fuzzed.pem");
    Files.write(file, (form & 4) == 0 ? bytes : pem((form & 1) == 0, bytes));
    var fuzzed = new PemFile("x.file", file);
    var certificate = (form & 1) == 0 ? fuzzed : new PemFile("x.cert", good.certificate());
    var key = (form & 1) == 0 ? new PemFile("x.key", good.key()) : fuzzed;
    try {
      if ((form & 2) == 0) {
        var identity = new TlsFiles.IdentityFiles(certificate, key);
        TlsContext.server(new TlsFiles(Optional.of(identity), Optional.empty()));
      } else {
        TlsContext.client(new TlsFiles(Optional.empty(), Optional.of(fuzzed)));
      }
    } catch (TlsException e) {
      assertThat(e).hasMessageStartingWith("x.");
      if ((form & 3) == 1) {
        assertThat(PART.matcher(Files.readString(file, ISO_8859_1)).results())
            .allSatisfy(part -> assertThat(e.toString()).doesNotContain(part.group()));
        assertThat(e.getCause()).isNull();
      }
    }
  }

  /// The bytes as PEM contents.
  private static byte[] pem(boolean certificate, byte[] der) {
    String type = certificate ? "CERTIFICATE" : "PRIVATE KEY";
    String text = Base64.getMimeEncoder().encodeToString(der);
    return ("-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n")
        .getBytes(UTF_8);
  }

  static Stream<byte[]> seeds() throws IOException {
    byte[] certificate = Files.readAllBytes(good.certificate());
    byte[] key = Files.readAllBytes(good.key());
    return Stream.of(
        seed(0, certificate),
        seed(2, certificate),
        seed(4, der(certificate)),
        seed(1, key),
        seed(5, der(key)),
        seed(
            1,
            "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----".getBytes(UTF_8)),
        seed(0, "-----BEGIN CERTIFICATE-----".getBytes(UTF_8)));
  }

  private static byte[] der(byte[] pem) {
    String text = new String(pem, ISO_8859_1).replaceAll("-----[A-Z ]*-----", "");
    return Base64.getMimeDecoder().decode(text);
  }

  private static byte[] seed(int form, byte[] content) {
    return new Portions.Seed().number(form).rest(content);
  }
}
