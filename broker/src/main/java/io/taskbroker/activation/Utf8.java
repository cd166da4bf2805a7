package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;

/// Bounds of text by its size in UTF-8.
public final class Utf8 {
  private Utf8() {}

  /// The text, or as many of its first characters as fit.
  ///
  /// @param maxBytes of UTF-8, positive
  public static String cut(String text, int maxBytes) {
    if (text.length() <= maxBytes / 3) {
      return text;
    }
    byte[] bytes = text.getBytes(UTF_8);
    if (bytes.length <= maxBytes) {
      return text;
    }
    int end = maxBytes;
    while ((bytes[end] & 0xC0) == 0x80) {
      end--;
    }
    return new String(bytes, 0, end, UTF_8);
  }
}
