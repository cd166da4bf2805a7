package io.taskbroker.tls;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.taskbroker.LogCapture;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.CertificateAuthority.Issued;
import io.taskbroker.tls.TlsFiles.IdentityFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Valid and invalid TLS files, and their replacement while a server runs.
@Timeout(240)
final class TlsContextTest {
  private static final String HOST = "server.test";

  private final CertificateAuthority authority = new CertificateAuthority("authority");
  @RegisterExtension final LogCapture log = LogCapture.of(Identity.class);
  @TempDir private Path dir;

  @Test
  void namesTheMissingFile() {
    Issued good = authority.issue(dir, "server", "localhost");
    Path none = dir.resolve("none");

    assertRefused(new Issued(none, good.key()), "x.certificate = " + none, "there is no such file");
    assertRefused(new Issued(good.certificate(), none), "x.key = " + none, "there is no such file");
    assertThatThrownBy(
            () -> TlsContext.client(new TlsFiles(Optional.empty(), Optional.of(pem("x.ca", none)))))
        .isInstanceOf(TlsException.class)
        .hasMessage("x.ca = " + none + ": cannot be read: there is no such file");
    assertRefused(new Issued(dir, good.key()), "x.certificate = " + dir, "cannot be read: ");
  }

  @Test
  void reportsMismatchedKeyAndCertificate() {
    Issued one = authority.issue(dir, "one", "localhost");
    Issued two = authority.issue(dir, "two", "localhost");

    assertRefused(
        new Issued(one.certificate(), two.key()),
        "x.key = " + two.key(),
        "is not the key of the first certificate in x.certificate = " + one.certificate());
  }

  @Test
  void reportsAWrongKeyType() throws Exception {
    Issued one = authority.issue(dir, "one", "localhost");
    byte[] rsa = KeyPairGenerator.getInstance("RSA").generateKeyPair().getPrivate().getEncoded();
    Path key = dir.resolve("rsa.key");
    String text = Base64.getMimeEncoder().encodeToString(rsa);
    Files.writeString(
        key, "-----BEGIN PRIVATE KEY-----\n" + text + "\n-----END PRIVATE KEY-----\n");

    assertRefused(new Issued(one.certificate(), key), "x.key = " + key, "holds no EC key");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''                                                                           | holds no private key in PEM
          -----BEGIN PRIVATE KEY-----                                                  | holds no private key in PEM
          -----BEGIN PRIVATE KEY-----hidden-----END PRIVATE KEY-----                   | holds no EC key
          -----BEGIN RSA PRIVATE KEY-----hidden-----END RSA PRIVATE KEY-----           | form "RSA PRIVATE KEY", where PKCS #8 without a passphrase is needed: convert it with openssl pkcs8 -topk8 -nocrypt
          -----BEGIN ENCRYPTED PRIVATE KEY-----hidden-----END ENCRYPTED PRIVATE KEY----- | form "ENCRYPTED PRIVATE KEY", where PKCS #8
          """)
  void reportsAnInvalidKey(String content, String problem) throws IOException {
    Issued good = authority.issue(dir, "server", "localhost");
    Files.writeString(good.key(), content);

    assertRefused(good, "x.key = " + good.key(), problem);
  }

  @Test
  void reportsAnInvalidCertificate() throws IOException {
    Issued good = authority.issue(dir, "server", "localhost");
    String name = "x.certificate = " + good.certificate();

    Files.writeString(good.certificate(), "");
    assertRefused(good, name, "holds no certificate in PEM");
    Files.writeString(good.certificate(), "no certificate");
    assertRefused(good, name, "PEM");
    Files.writeString(
        good.certificate(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assertRefused(good, name, "holds something else than PEM certificates");
    Files.write(good.certificate(), new byte[(1 << 20) + 1]);
    assertRefused(good, name, "is larger than 1 MiB");
  }

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA", "Ed25519"})
  void keysOfEachAlgorithmAreUsed(String algorithm) throws Exception {
    KeyPair keys = KeyPairGenerator.getInstance(algorithm).generateKeyPair();
    Instant now = Instant.now();
    Issued issued =
        authority.issue(dir, "server", keys, now.minusSeconds(60), now.plusSeconds(3_600), HOST);
    assertThat(nameShown(TlsContext.server(files(issued)), trusting())).contains(HOST);
  }

  @Test
  void onlyTls13And12AreSpoken() {
    TlsContext server = TlsContext.server(files(authority.issue(dir, "server", HOST)));
    for (TlsContext each : List.of(server, trusting())) {
      assertThat(each.newEngine(UnpooledByteBufAllocator.DEFAULT).getEnabledProtocols())
          .containsExactlyInAnyOrder("TLSv1.3", "TLSv1.2");
    }
  }

  @Test
  void anExpiredCertificateIsAWarning() {
    Instant end = Instant.now().minusSeconds(60);
    Issued old = authority.issue(dir, "server", end.minusSeconds(60), end, HOST);
    assertThat(TlsContext.server(files(old))).isNotNull();
    assertThat(log.lines())
        .anyMatch(line ->
            line.startsWith(
                "WARN x.certificate = " + old.certificate() + ": the certificate expired"));
  }

  @Test
  void newConnectionsUseChangedFiles() throws Exception {
    Issued used = authority.issue(dir, "server", HOST, "before");
    TlsContext server = TlsContext.server(files(used));
    TlsContext client = trusting();
    assertThat(nameShown(server, client)).contains("before");

    // Only half of the pair was replaced: the previous files stay in use.
    Path fresh = Files.createDirectory(dir.resolve("fresh"));
    Issued next = authority.issue(fresh, "server", HOST, "after");
    replace(next.key(), used.key());
    await()
        .during(Duration.ofMillis(1_500))
        .atMost(60, SECONDS)
        .untilAsserted(() -> assertThat(nameShown(server, client)).contains("before"));
    replace(next.certificate(), used.certificate());
    await()
        .atMost(60, SECONDS)
        .untilAsserted(() -> assertThat(nameShown(server, client)).contains("after"));
  }

  @Test
  void removedCaPreventsSessionResumption() throws Exception {
    Path trusted = authority.write(dir.resolve("ca.pem"));
    Issued server = authority.issue(dir, "server", HOST);
    TlsContext context =
        TlsContext.server(
            new TlsFiles(files(server).identity(), Optional.of(pem("x.ca", trusted))));
    TlsContext client =
        TlsContext.client(
            new TlsFiles(
                files(authority.issue(dir, "client", "client")).identity(),
                Optional.of(pem("x.ca", authority.write(dir.resolve("of-client.pem"))))));
    assertThat(nameShown(context, client)).contains(HOST);

    replace(new CertificateAuthority("other").write(dir.resolve("other.pem")), trusted);

    await()
        .atMost(60, SECONDS)
        .untilAsserted(() ->
            assertThatThrownBy(() -> nameShown(context, client)).isInstanceOf(SSLException.class));
  }

  @Test
  void hidesTheKey() throws GeneralSecurityException {
    Issued issued = authority.issue(dir, "server", "localhost");
    Identity identity =
        Identity.read(pem("x.certificate", issued.certificate()), pem("x.key", issued.key()));

    assertThat(identity.toString()).isEqualTo("Identity[CN=server]");
  }

  private static void assertRefused(Issued files, String... parts) {
    assertThatThrownBy(() -> TlsContext.server(files(files)))
        .isInstanceOf(TlsException.class)
        .hasMessageContainingAll(parts)
        .message()
        .hasLineCount(1)
        .doesNotContain("hidden");
  }

  private TlsContext trusting() {
    Path ca = authority.write(dir.resolve("ca.pem"));
    return TlsContext.client(new TlsFiles(Optional.empty(), Optional.of(pem("x.ca", ca))));
  }

  private static TlsFiles files(Issued issued) {
    return new TlsFiles(
        Optional.of(
            new IdentityFiles(
                pem("x.certificate", issued.certificate()), pem("x.key", issued.key()))),
        Optional.empty());
  }

  private static PemFile pem(String key, Path path) {
    return new PemFile(key, path);
  }

  private static void replace(Path source, Path target) throws IOException {
    Files.move(source, target, StandardCopyOption.REPLACE_EXISTING);
  }

  /// Subject names of the server's certificate, after an in-memory handshake.
  private static String nameShown(TlsContext server, TlsContext client) throws Exception {
    SSLEngine accepting = server.newEngine(UnpooledByteBufAllocator.DEFAULT);
    SSLEngine connecting = client.newEngine(UnpooledByteBufAllocator.DEFAULT, HOST, 443);
    ByteBuffer toServer = ByteBuffer.allocate(1 << 16);
    ByteBuffer toClient = ByteBuffer.allocate(1 << 16);
    for (int round = 0; round < 30; round++) {
      exchange(connecting, toClient, toServer);
      exchange(accepting, toServer, toClient);
    }
    var shown = (X509Certificate) connecting.getSession().getPeerCertificates()[0];
    return String.valueOf(shown.getSubjectAlternativeNames());
  }

  private static void exchange(SSLEngine engine, ByteBuffer in, ByteBuffer out)
      throws SSLException {
    for (Runnable task = engine.getDelegatedTask(); task != null; ) {
      task.run();
      task = engine.getDelegatedTask();
    }
    ByteBuffer plain = ByteBuffer.allocate(1 << 16);
    if (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_UNWRAP
        || engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NOT_HANDSHAKING) {
      in.flip();
      engine.unwrap(in, plain);
      in.compact();
    } else {
      engine.wrap(ByteBuffer.allocate(0), out);
    }
  }
}
