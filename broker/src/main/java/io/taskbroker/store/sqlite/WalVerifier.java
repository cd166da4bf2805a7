package io.taskbroker.store.sqlite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/// Check of a write-ahead log for damage before SQLite opens it: SQLite takes everything after the
/// first bad frame, or the whole log after a bad header, for remains of an older log and silently
/// drops it.
///
/// A power cut may tear the end of a log, within the one pending transaction. More than one commit
/// behind a bad frame was durable once, so the log is damaged. A truncated log looks intact; that
/// loss shows when Kafka proves that more was stored, or by the [AtMostOnceFence] that it lacks
/// (docs/adr/0006).
final class WalVerifier {
  private static final int HEADER = 32;
  private static final int FRAME_HEADER = 24;
  private static final int MAGIC = 0x377f0682; // or MAGIC + 1 for big-endian checksums
  private static final int LARGEST_PAGE = 65_536;

  private final FileChannel log;
  private final ByteBuffer header = ByteBuffer.allocate(HEADER);
  private ByteOrder order = ByteOrder.BIG_ENDIAN;
  private int sum0;
  private int sum1;

  private WalVerifier(FileChannel log) {
    this.log = log;
  }

  /// Damage of a database's log; empty if it is intact or missing, or torn by a power cut.
  ///
  /// @throws IOException if the log cannot be read
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
      return Optional.empty(); // no byte reached the disk before a power cut
    }
    int magic = header.getInt(0);
    int pageSize = header.getInt(8);
    order = (magic & 1) == 0 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    addToChecksum(header, 0, 24);
    if ((magic & ~1) != MAGIC
        || Integer.bitCount(pageSize) != 1
        || pageSize < 512
        || pageSize > LARGEST_PAGE
        || !matchesChecksum(header, 24)) {
      return Optional.of("the header of its write-ahead log is damaged");
    }
    return damagedFrames(ByteBuffer.allocate(FRAME_HEADER + pageSize));
  }

  private Optional<String> damagedFrames(ByteBuffer frame) throws IOException {
    long bad = -1;
    int laterCommits = 0;
    for (long number = 0; read(frame); number++) {
      boolean sameLog =
          frame.getInt(8) == header.getInt(16) && frame.getInt(12) == header.getInt(20);
      if (bad < 0) {
        addToChecksum(frame, 0, 8);
        addToChecksum(frame, FRAME_HEADER, frame.capacity());
        if (!sameLog || !matchesChecksum(frame, 16)) {
          bad = number;
        }
      }
      if (bad >= 0 && sameLog && frame.getInt(4) != 0) {
        laterCommits++;
      }
    }
    return laterCommits > 1
        ? Optional.of("frame " + bad + " of its write-ahead log is damaged, with commits behind it")
        : Optional.empty();
  }

  /// Fills the buffer. Returns false at the end of the log.
  private boolean read(ByteBuffer buffer) throws IOException {
    buffer.clear();
    while (buffer.hasRemaining()) {
      if (log.read(buffer) < 0) {
        return false;
      }
    }
    return true;
  }

  private void addToChecksum(ByteBuffer bytes, int from, int to) {
    ByteBuffer words = bytes.duplicate().order(order);
    for (int i = from; i < to; i += 8) {
      sum0 += words.getInt(i) + sum1;
      sum1 += words.getInt(i + 4) + sum0;
    }
  }

  private boolean matchesChecksum(ByteBuffer bytes, int at) {
    return bytes.getInt(at) == sum0 && bytes.getInt(at + 4) == sum1;
  }
}
