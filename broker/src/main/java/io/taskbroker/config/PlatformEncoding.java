package io.taskbroker.config;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/// Encoding in which the operating system passes text: variables, arguments, file names. It follows
/// the locale; an encoding other than UTF-8 silently alters non-ASCII text, and with it secrets and
/// file names. Stateless.
public final class PlatformEncoding {
  /// Encoding that the Java platform derived from the locale.
  static final Charset OWN =
      Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"), StandardCharsets.US_ASCII);

  /// Decoder replacement for malformed bytes.
  private static final char REPLACEMENT = '\uFFFD';

  private PlatformEncoding() {}

  /// Reason why text passed from or to the system would be altered; empty if it is not.
  public static Optional<String> flaw(String text) {
    return flaw(text, OWN);
  }

  static Optional<String> flaw(String text, Charset encoding) {
    if (encoding.equals(StandardCharsets.UTF_8)) {
      return text.indexOf(REPLACEMENT) < 0 ? Optional.empty() : Optional.of("is not UTF-8");
    }
    return text.chars().allMatch(c -> c < 0x80)
        ? Optional.empty()
        : Optional.of(
            "has characters that the locale's encoding "
                + encoding
                + " would alter: set LC_ALL=C.UTF-8 or another UTF-8 locale");
  }

  /// Reports each altered variable by name.
  static void check(Map<String, String> environment, Charset encoding, Problems problems) {
    environment.forEach((name, value) -> {
      if (Environment.isOurs(name)) {
        flaw(name + value, encoding)
            .ifPresent(flaw -> problems.add("environment variable " + name, "", flaw));
      }
    });
  }
}
