package io.taskbroker.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// PEM file named by the configuration; at most 1 MiB of it is read.
///
/// @param key configuration key that names it
public record PemFile(String key, Path path) {
  private static final int LARGEST = 1 << 20;
  private static final Pattern PRIVATE_KEY =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]{0,16})PRIVATE KEY-----([^-]*)-----END");

  /// Certificates in the file, at least one, in order.
  ///
  /// @throws TlsException if they cannot be read
  List<X509Certificate> certificates() {
    byte[] bytes = read();
    List<X509Certificate> certificates;
    try {
      certificates =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(bytes))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
    } catch (CertificateException e) {
      throw problem("holds something else than PEM certificates", e);
    }
    if (certificates.isEmpty()) {
      throw problem("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
    }
    return certificates;
  }

  /// Private key in the file.
  ///
  /// @param algorithm algorithm of the matching public key
  /// @throws TlsException if it cannot be read
  PrivateKey privateKey(String algorithm) {
    Matcher pem = PRIVATE_KEY.matcher(new String(read(), ISO_8859_1));
    if (!pem.find()) {
      throw problem("holds no private key in PEM (-----BEGIN PRIVATE KEY-----)");
    }
    if (!pem.group(1).isEmpty()) {
      throw problem(
          ("holds a key of the form \"%sPRIVATE KEY\", where PKCS #8 without a passphrase"
                  + " is needed: convert it with openssl pkcs8 -topk8 -nocrypt")
              .formatted(pem.group(1)));
    }
    try {
      byte[] der = Base64.getMimeDecoder().decode(pem.group(2));
      return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
    } catch (GeneralSecurityException | IllegalArgumentException _) {
      // The cause could reveal a part of the key.
      throw problem("holds no " + algorithm + " key, as the certificate has one");
    }
  }

  /// Fingerprint that changes when the file is written or replaced.
  ///
  /// @throws TlsException if the file attributes cannot be read
  String stamp() {
    try {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      return attributes.lastModifiedTime() + "/" + attributes.size() + "/" + attributes.fileKey();
    } catch (IOException e) {
      throw problem("cannot be read: " + reason(e), e);
    }
  }

  TlsException problem(String what) {
    return new TlsException("%s = %s: %s".formatted(key, path, what));
  }

  private TlsException problem(String what, Throwable cause) {
    return new TlsException("%s = %s: %s".formatted(key, path, what), cause);
  }

  private byte[] read() {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(path)) {
      bytes = in.readNBytes(LARGEST + 1);
    } catch (IOException e) {
      throw problem("cannot be read: " + reason(e), e);
    }
    if (bytes.length > LARGEST) {
      throw problem("is larger than 1 MiB");
    }
    return bytes;
  }

  private static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "there is no such file";
      case AccessDeniedException _ -> "permission denied";
      default -> String.valueOf(e.getMessage());
    };
  }
}
