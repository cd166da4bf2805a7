package io.taskbroker.store.sqlite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/// Looks for damage in a write-ahead log before SQLite opens it: SQLite takes what follows the
/// first bad frame, or all if the header is bad, for the rest of an older log, and drops it in
/// silence.
///
/// The end of a log may be torn by a power cut, in the one transaction that was being written. More
/// than one commit behind a bad frame was durable once, and is damage. A log that was cut off looks
/// whole: that is noticed when Kafka shows that more was stored, or by the [AtMostOnceFence] that
/// it lacks (docs/adr/0006).
final class WalVerifier {
  private static final int HEADER = 32;
  private static final int FRAME_HEADER = 24;
  private static final int MAGIC = 0x377f0682; // or that + 1, which has checksums in big-endian
  private static final int LARGEST_PAGE = 65_536;

  private final FileChannel log;
  private final ByteBuffer header = ByteBuffer.allocate(HEADER);
  private ByteOrder order = ByteOrder.BIG_ENDIAN;
  private int sum0;
  private int sum1;

  private WalVerifier(FileChannel log) {
    this.log = log;
  }

  /// What is wrong with the log of a database; empty if there is none, or it may be as it is.
  ///
  /// @throws IOException if it cannot be read
  static Optional<String> damageOf(Path database) throws IOException {
    Path file = Path.of(database + "-wal");
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return new WalVerifier(channel).damage();
    }
  }

  private Optional<String> damage() throws IOException {
    if (log.size() < HEADER) {
      return Optional.empty();
    }
    read(header);
    if (header.rewind().equals(ByteBuffer.allocate(HEADER))) {
      return Optional.empty(); // nothing of it reached the disk before a power cut
    }
    int magic = header.getInt(0);
    int pageSize = header.getInt(8);
    order = (magic & 1) == 0 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    sum(header, 0, 24);
    if ((magic & ~1) != MAGIC
        || Integer.bitCount(pageSize) != 1
        || pageSize < 512
        || pageSize > LARGEST_PAGE
        || !isSum(header, 24)) {
      return Optional.of("its write-ahead log begins with something else");
    }
    return damagedFrames(ByteBuffer.allocate(FRAME_HEADER + pageSize));
  }

  private Optional<String> damagedFrames(ByteBuffer frame) throws IOException {
    long bad = -1;
    int commitsBehind = 0;
    for (long number = 0; read(frame); number++) {
      boolean ofThisLog =
          frame.getInt(8) == header.getInt(16) && frame.getInt(12) == header.getInt(20);
      if (bad < 0) {
        sum(frame, 0, 8);
        sum(frame, FRAME_HEADER, frame.capacity());
        if (!ofThisLog || !isSum(frame, 16)) {
          bad = number;
        }
      }
      if (bad >= 0 && ofThisLog && frame.getInt(4) != 0) {
        commitsBehind++;
      }
    }
    return commitsBehind > 1
        ? Optional.of("frame " + bad + " of its write-ahead log is damaged, commits are behind it")
        : Optional.empty();
  }

  /// Fills the buffer. Returns false if the log ends before.
  private boolean read(ByteBuffer buffer) throws IOException {
    buffer.clear();
    while (buffer.hasRemaining()) {
      if (log.read(buffer) < 0) {
        return false;
      }
    }
    return true;
  }

  private void sum(ByteBuffer bytes, int from, int to) {
    ByteBuffer words = bytes.duplicate().order(order);
    for (int i = from; i < to; i += 8) {
      sum0 += words.getInt(i) + sum1;
      sum1 += words.getInt(i + 4) + sum0;
    }
  }

  private boolean isSum(ByteBuffer bytes, int at) {
    return bytes.getInt(at) == sum0 && bytes.getInt(at + 4) == sum1;
  }
}
