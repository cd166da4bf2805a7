package io.taskbroker.tls;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Identity of one side of a connection: a private key and its certificate chain.
record Identity(PrivateKey key, List<X509Certificate> chain) {
  private static final Logger LOG = LoggerFactory.getLogger(Identity.class);

  /// Reads both files. Warns if the certificate is not currently valid: the local clock may be
  /// wrong, so the remote side decides.
  ///
  /// @throws TlsException if they cannot be read, or do not match
  static Identity read(PemFile certificate, PemFile key) {
    List<X509Certificate> chain = certificate.certificates();
    X509Certificate own = chain.getFirst();
    PrivateKey secret = key.privateKey(own.getPublicKey().getAlgorithm());
    if (!matches(secret, own.getPublicKey())) {
      throw key.problem(
          "is not the key of the first certificate in %s = %s"
              .formatted(certificate.key(), certificate.path()));
    }
    try {
      own.checkValidity();
    } catch (CertificateExpiredException _) {
      LOG.warn(
          "{} = {}: the certificate expired at {}",
          certificate.key(),
          certificate.path(),
          own.getNotAfter().toInstant());
    } catch (CertificateNotYetValidException _) {
      LOG.warn(
          "{} = {}: the certificate is not valid before {}",
          certificate.key(),
          certificate.path(),
          own.getNotBefore().toInstant());
    }
    return new Identity(secret, chain);
  }

  /// Omits the key.
  @Override
  public String toString() {
    return "Identity[" + chain.getFirst().getSubjectX500Principal() + "]";
  }

  private static boolean matches(PrivateKey secret, PublicKey known) {
    String algorithm =
        switch (known.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> known.getAlgorithm();
        };
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(secret);
      signature.update((byte) 1);
      byte[] signed = signature.sign();
      signature.initVerify(known);
      signature.update((byte) 1);
      return signature.verify(signed);
    } catch (GeneralSecurityException _) {
      return false;
    }
  }
}
