package io.taskbroker.client.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;

/// Compression by zstd, apart from [Payloads]: its library is optional, and the class that names
/// its exception cannot be loaded without it.
final class Zstandard {
  private Zstandard() {}

  static byte[] compress(byte[] bytes) {
    return Zstd.compress(bytes);
  }

  /// @param frame one frame, with its size
  /// @param most size of the result
  /// @throws IllegalArgumentException if it is no such frame
  static byte[] decompress(byte[] frame, int most) {
    long size = Zstd.getFrameContentSize(frame);
    if (size < 0 || size > most) {
      throw new IllegalArgumentException(
          "The zstd frame has " + size + " bytes, and must have 0 to " + most);
    }
    try {
      return Zstd.decompress(frame, (int) size);
    } catch (ZstdException e) {
      throw new IllegalArgumentException("Could not decompress the argument", e);
    }
  }
}
