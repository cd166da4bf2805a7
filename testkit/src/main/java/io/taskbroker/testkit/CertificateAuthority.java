package io.taskbroker.testkit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;

/// Certificate authority for tests: signs certificates for any names and dates, as PEM files.
/// Thread-safe.
public final class CertificateAuthority {
  private static final byte[] ECDSA_SHA256 =
      Der.sequence(Der.oid(0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02));

  private final String name;
  private final KeyPair keys = newKeys();
  private final byte[] certificate;

  /// A self-signed authority.
  public CertificateAuthority(String name) {
    this.name = name;
    byte[] isAuthority = Der.sequence(Der.of(0x01, new byte[] {(byte) 0xFF}));
    byte[] constraint =
        Der.sequence(
            Der.oid(0x55, 0x1D, 0x13),
            Der.of(0x01, new byte[] {(byte) 0xFF}),
            Der.of(0x04, isAuthority));
    Instant now = Instant.now();
    certificate =
        sign(name, keys, constraint, now.minus(1, ChronoUnit.DAYS), now.plus(1, ChronoUnit.DAYS));
  }

  /// Files of an identity.
  ///
  /// @param key in PKCS #8, readable only by its owner, as Postgres and its driver require
  public record Issued(Path certificate, Path key) {}

  /// Writes the authority's own certificate.
  public Path write(Path file) {
    return write(file, "CERTIFICATE", certificate);
  }

  /// Writes a currently valid certificate and its key into the folder.
  ///
  /// @param subject also the name of the files
  /// @param names subject alternative names: DNS names and IPv4 addresses
  public Issued issue(Path dir, String subject, String... names) {
    Instant now = Instant.now();
    return issue(dir, subject, now.minus(1, ChronoUnit.HOURS), now.plus(1, ChronoUnit.DAYS), names);
  }

  /// The same with a validity period.
  public Issued issue(Path dir, String subject, Instant from, Instant to, String... names) {
    return issue(dir, subject, newKeys(), from, to, names);
  }

  /// The same for given keys, of any algorithm.
  public Issued issue(
      Path dir, String subject, KeyPair own, Instant from, Instant to, String... names) {
    byte[] alternatives =
        Der.sequence(
            List.of(names).stream().map(CertificateAuthority::alternative).toArray(byte[][]::new));
    byte[] extension = Der.sequence(Der.oid(0x55, 0x1D, 0x11), Der.of(0x04, alternatives));
    Path key = write(dir.resolve(subject + ".key"), "PRIVATE KEY", own.getPrivate().getEncoded());
    try {
      Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      throw new UncheckedIOException("Could not keep others from reading " + key, e);
    }
    return new Issued(
        write(
            dir.resolve(subject + ".pem"), "CERTIFICATE", sign(subject, own, extension, from, to)),
        key);
  }

  private byte[] sign(String subject, KeyPair own, byte[] extension, Instant from, Instant to) {
    byte[] body =
        Der.sequence(
            Der.of(0xA0, Der.integer(BigInteger.TWO)),
            Der.integer(BigInteger.valueOf(System.nanoTime()).abs()),
            ECDSA_SHA256,
            commonName(name),
            Der.sequence(Der.time(from), Der.time(to)),
            commonName(subject),
            own.getPublic().getEncoded(),
            Der.of(0xA3, Der.sequence(extension)));
    try {
      Signature signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(keys.getPrivate());
      signature.update(body);
      byte[] signed = Der.concat(new byte[] {0}, signature.sign());
      return Der.sequence(body, ECDSA_SHA256, Der.of(0x03, signed));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Could not sign a certificate of " + subject, e);
    }
  }

  private static byte[] alternative(String name) {
    if (!name.matches("[0-9.]+")) {
      return Der.of(0x82, name.getBytes(US_ASCII));
    }
    return Der.of(0x87, InetAddress.ofLiteral(name).getAddress());
  }

  private static byte[] commonName(String name) {
    byte[] value = Der.of(0x0C, name.getBytes(US_ASCII));
    return Der.sequence(Der.of(0x31, Der.sequence(Der.oid(0x55, 0x04, 0x03), value)));
  }

  private static KeyPair newKeys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Could not make keys", e);
    }
  }

  private static Path write(Path file, String type, byte[] der) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    try {
      return Files.writeString(
          file, "-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n");
    } catch (IOException e) {
      throw new UncheckedIOException("Could not write " + file, e);
    }
  }
}
