package io.taskbroker.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// Call signatures between broker and workers (reference-spec 2.4): HMAC-SHA256 of the method's
/// path, a colon and the bytes of the message, in hexadecimal. The first secret signs and any of
/// them verifies, so that secrets can be rotated one side at a time. Thread-safe.
public final class Signatures {
  /// Name of the header that carries the signature.
  public static final String HEADER = "sentry-signature";

  private static final String ALGORITHM = "HmacSHA256";
  private static final int BYTES = 32;

  private final List<SecretKeySpec> keys;
  private final ThreadLocal<Mac[]> macs = ThreadLocal.withInitial(this::macs);

  /// @param secrets signing secrets; without any, calls are unsigned and every call is accepted
  public Signatures(List<String> secrets) {
    keys = secrets.stream().map(Signatures::key).toList();
  }

  /// Signer for the method with that path, which begins with a slash.
  public Signer forPath(String path) {
    return new Signer((path + ":").getBytes(UTF_8));
  }

  /// Signer and verifier of the calls of one method. Thread-safe.
  public final class Signer {
    private final byte[] prefix;

    private Signer(byte[] prefix) {
      this.prefix = prefix;
    }

    /// Whether there is a secret to sign with.
    public boolean signs() {
      return !keys.isEmpty();
    }

    /// Signature of the message with the first secret.
    ///
    /// @throws IllegalStateException if there is no secret
    public String sign(byte[]... message) {
      if (keys.isEmpty()) {
        throw new IllegalStateException("There is no secret to sign with");
      }
      return HexFormat.of().formatHex(hash(macs.get()[0], message));
    }

    /// Whether the signature is valid for the message with any of the secrets, or no secret is
    /// configured. Takes constant time, wherever two signatures differ.
    public boolean accepts(byte[] message, @Nullable String signature) {
      return keys.isEmpty() || keyOf(message, signature) > 0;
    }

    /// Number of the secret that signed the message, from 1 in configuration order; 0 if none did.
    /// Takes constant time, wherever two signatures differ.
    public int keyOf(byte[] message, @Nullable String signature) {
      byte[] claimed = new byte[BYTES];
      if (signature == null || !decode(signature, claimed)) {
        return 0;
      }
      int key = 0;
      Mac[] all = macs.get();
      for (int i = all.length; i > 0; i--) {
        boolean equal = MessageDigest.isEqual(hash(all[i - 1], message), claimed);
        key = equal ? i : key;
      }
      return key;
    }

    /// Number of secrets.
    public int keys() {
      return keys.size();
    }

    private byte[] hash(Mac mac, byte[]... message) {
      mac.update(prefix);
      for (byte[] part : message) {
        mac.update(part);
      }
      return mac.doFinal();
    }
  }

  private static boolean decode(String signature, byte[] to) {
    if (signature.length() != 2 * to.length) {
      return false;
    }
    for (int i = 0; i < signature.length(); i++) {
      if (!HexFormat.isHexDigit(signature.charAt(i))) {
        return false;
      }
    }
    for (int i = 0; i < to.length; i++) {
      to[i] = (byte) HexFormat.fromHexDigits(signature, 2 * i, 2 * i + 2);
    }
    return true;
  }

  private static SecretKeySpec key(String secret) {
    byte[] bytes = secret.getBytes(UTF_8);
    // RFC 2104 pads an empty key with zeros like any other; Java rejects empty keys.
    return new SecretKeySpec(bytes.length == 0 ? new byte[1] : bytes, ALGORITHM);
  }

  private Mac[] macs() {
    return keys.stream().map(Signatures::mac).toArray(Mac[]::new);
  }

  private static Mac mac(SecretKeySpec key) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Every Java platform has " + ALGORITHM, e);
    }
  }
}
