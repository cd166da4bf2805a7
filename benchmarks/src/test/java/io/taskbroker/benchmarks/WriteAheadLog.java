package io.taskbroker.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Content of a SQLite write-ahead log (file format, section 4): a header of 32 bytes, and frames
/// of one page each. The last frame of a transaction holds the size of the database.
///
/// @param frames pages written
/// @param transactions each ended with one fsync, since the store uses synchronous FULL
record WriteAheadLog(int frames, int transactions) {
  private static final int HEADER = 32;
  private static final int FRAME_HEADER = 24;
  private static final int PAGE_SIZE_AT = 8;
  private static final int COMMIT_AT = 4;
  private static final int SALT_AT = 8;
  private static final int SALT = 8;
  private static final int HEADER_SALT_AT = 16;

  static WriteAheadLog of(Path database) throws IOException {
    Path file = Path.of(database + "-wal");
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer header = read(channel, 0, HEADER);
      int step = FRAME_HEADER + header.getInt(PAGE_SIZE_AT);
      long salt = header.getLong(HEADER_SALT_AT);
      int frames = 0;
      int transactions = 0;
      for (long at = HEADER; at + step <= channel.size(); at += step) {
        ByteBuffer frame = read(channel, at, SALT_AT + SALT);
        if (frame.getLong(SALT_AT) != salt) {
          break; // from before the log was reset
        }
        frames++;
        if (frame.getInt(COMMIT_AT) != 0) {
          transactions++;
        }
      }
      return new WriteAheadLog(frames, transactions);
    }
  }

  private static ByteBuffer read(FileChannel channel, long at, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, at + buffer.position()) < 0) {
        throw new IOException("The log ends within a frame");
      }
    }
    return buffer;
  }
}
