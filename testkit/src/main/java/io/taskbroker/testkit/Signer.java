package io.taskbroker.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// Signer and verifier of messages by shared secrets (reference-spec 2.4). Independent of the
/// broker's implementation, so that each verifies the other. Thread-safe.
final class Signer {
  private static final String ALGORITHM = "HmacSHA256";

  private final List<ThreadLocal<Mac>> macs;

  /// Without secrets nothing is signed, and everything is accepted.
  Signer(List<String> secrets) {
    macs = secrets.stream().map(s -> ThreadLocal.withInitial(() -> mac(s))).toList();
  }

  boolean signs() {
    return !macs.isEmpty();
  }

  /// Signature by the first secret, in lower-case hex.
  String sign(String method, byte[] message) {
    return HexFormat.of().formatHex(digest(macs.getFirst(), method, message));
  }

  /// Whether the signature matches one of the secrets.
  boolean accepts(String method, byte[] message, @Nullable String signature) {
    if (!signs()) {
      return true;
    }
    if (signature == null) {
      return false;
    }
    byte[] given;
    try {
      given = HexFormat.of().parseHex(signature);
    } catch (IllegalArgumentException _) {
      return false;
    }
    return macs.stream()
        .anyMatch(mac -> MessageDigest.isEqual(given, digest(mac, method, message)));
  }

  private static byte[] digest(ThreadLocal<Mac> local, String method, byte[] message) {
    Mac mac = local.get();
    mac.update(("/" + method + ":").getBytes(UTF_8));
    return mac.doFinal(message);
  }

  private static Mac mac(String secret) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(secret.getBytes(UTF_8), ALGORITHM));
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Could not set up " + ALGORITHM, e);
    }
  }
}
