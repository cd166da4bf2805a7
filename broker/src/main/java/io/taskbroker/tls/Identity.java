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

/// Who one side of a connection is: a private key, and the certificate of it with those that it is
/// signed by.
record Identity(PrivateKey key, List<X509Certificate> chain) {
  private static final Logger LOG = LoggerFactory.getLogger(Identity.class);

  /// Reads both files, and warns if the certificate is not valid now: a clock may be wrong, so the
  /// other side decides.
  ///
  /// @throws TlsException if they cannot be read, or do not belong to each other
  static Identity read(PemFile certificate, PemFile key) {
    List<X509Certificate> chain = certificate.certificates();
    X509Certificate own = chain.getFirst();
    PrivateKey secret = key.privateKey(own.getPublicKey().getAlgorithm());
    if (!belongs(secret, own.getPublicKey())) {
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

  /// Without the key.
  @Override
  public String toString() {
    return "Identity[" + chain.getFirst().getSubjectX500Principal() + "]";
  }

  private static boolean belongs(PrivateKey secret, PublicKey known) {
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
