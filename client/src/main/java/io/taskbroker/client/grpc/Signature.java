package io.taskbroker.client.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Metadata;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// HMAC-SHA256 of method and message by a shared secret, in lower-case hex. Thread-safe.
final class Signature {
  static final Metadata.Key<String> HEADER =
      Metadata.Key.of("sentry-signature", Metadata.ASCII_STRING_MARSHALLER);

  private static final String ALGORITHM = "HmacSHA256";

  private final SecretKeySpec key;

  Signature(String secret) {
    key = new SecretKeySpec(secret.getBytes(UTF_8), ALGORITHM);
  }

  /// @param method full name, such as `package.Service/Method`
  String of(String method, byte[] message) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      mac.update(("/" + method + ":").getBytes(UTF_8));
      return HexFormat.of().formatHex(mac.doFinal(message));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Could not sign by " + ALGORITHM, e);
    }
  }

  boolean matches(String method, byte[] message, @Nullable String given) {
    return given != null
        && MessageDigest.isEqual(given.getBytes(UTF_8), of(method, message).getBytes(UTF_8));
  }
}
