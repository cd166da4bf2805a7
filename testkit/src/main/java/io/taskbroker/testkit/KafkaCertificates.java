package io.taskbroker.testkit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A certificate authority with a server certificate for the loopback address and a client
/// certificate, as PEM files valid for one day. Created by the keytool of the running JDK.
///
/// @param ca certificate of the authority
/// @param server key of the server, its certificate and the authority's
/// @param client certificate of the client, and the authority's
/// @param clientKey in PKCS #8
public record KafkaCertificates(Path ca, Path server, Path client, Path clientKey) {
  private static final String PASSWORD = "changeit";
  private static final int KEYTOOL_SECONDS = 30;

  /// Creates the folder and the files in it.
  public static KafkaCertificates make(Path dir) {
    try {
      Files.createDirectories(dir);
      Path store = dir.resolve("all.p12");
      generate(store, "ca", List.of("-ext", "bc:c"));
      generate(store, "server", List.of("-signer", "ca", "-ext", "san=ip:127.0.0.1,dns:localhost"));
      generate(store, "client", List.of("-signer", "ca"));
      var keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
      return new KafkaCertificates(
          write(dir, "ca.pem", certificates(keys, "ca")),
          write(dir, "server.pem", key(keys, "server") + certificates(keys, "server")),
          write(dir, "client.pem", certificates(keys, "client")),
          write(dir, "client-key.pem", key(keys, "client")));
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("Could not make certificates in " + dir, e);
    }
  }

  private static void generate(Path store, String alias, List<String> more) throws IOException {
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD,
                "-alias",
                alias,
                "-dname",
                "CN=" + alias,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-validity",
                "1"));
    command.addAll(more);
    Path output = store.resolveSibling("keytool.log");
    var process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
            .start();
    try {
      if (!process.waitFor(KEYTOOL_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IllegalStateException("keytool failed: " + Files.readString(output));
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while making certificates", e);
    }
  }

  private static Path write(Path dir, String name, String pem) throws IOException {
    return Files.writeString(dir.resolve(name), pem);
  }

  private static String certificates(KeyStore keys, String alias) throws GeneralSecurityException {
    var pem = new StringBuilder();
    for (Certificate each : keys.getCertificateChain(alias)) {
      pem.append(pem("CERTIFICATE", each.getEncoded()));
    }
    return pem.toString();
  }

  private static String key(KeyStore keys, String alias) throws GeneralSecurityException {
    Key key = keys.getKey(alias, PASSWORD.toCharArray());
    return pem("PRIVATE KEY", key.getEncoded());
  }

  private static String pem(String what, byte[] der) {
    String base64 = Base64.getMimeEncoder(64, "\n".getBytes(US_ASCII)).encodeToString(der);
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(what, base64, what);
  }
}
