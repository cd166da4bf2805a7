package io.taskbroker.config;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/// Encoding in which the operating system passes text: variables, arguments, names of files. It
/// follows the locale, and one that is not UTF-8 alters what is not ASCII, without an error:
/// secrets would be others, and files too. Stateless.
public final class PlatformEncoding {
  /// What the Java platform has found out of the locale.
  static final Charset OWN =
      Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"), StandardCharsets.US_ASCII);

  /// What a decoder has in the place of bytes that it does not understand.
  private static final char REPLACEMENT = '\uFFFD';

  private PlatformEncoding() {}

  /// Why text that the system has passed, or is to pass, would not be the same there and here;
  /// empty if it is.
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
            "has characters that the locale, whose encoding is "
                + encoding
                + ", would alter: set LC_ALL=C.UTF-8, or another locale of UTF-8");
  }

  /// Tells of each variable that was altered, by its name only.
  static void check(Map<String, String> environment, Charset encoding, Problems problems) {
    environment.forEach((name, value) -> {
      if (Environment.isOurs(name)) {
        flaw(name + value, encoding)
            .ifPresent(flaw -> problems.add("environment variable " + name, "", flaw));
      }
    });
  }
}
