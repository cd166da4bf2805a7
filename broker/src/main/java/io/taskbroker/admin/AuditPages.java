package io.taskbroker.admin;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Pages of the record of acts, the newest first, over the file and its older ones. It reads beside
/// the writer, without its lock. Stateless; thread-safe.
final class AuditPages {
  /// Bytes of a page; longer than any entry, since requests and answers are bounded.
  private static final int BLOCK = 4 << 20;

  private final Path file;
  private final JsonMapper json;

  AuditPages(Path file, JsonMapper json) {
    this.file = file;
    this.json = json;
  }

  /// @param entries the newest first
  /// @param cursor of the next page; empty if there is none
  record Page(List<AuditLog.Entry> entries, Optional<String> cursor) {}

  /// Entries before a cursor; the newest without one.
  ///
  /// @throws ApiProblem 400 if the cursor is none of this record, or its file is gone
  Page page(Optional<String> cursor, int limit) {
    List<Path> files = files();
    try {
      if (cursor.isEmpty()) {
        return files.isEmpty()
            ? new Page(List.of(), Optional.empty())
            : read(files, 0, Long.MAX_VALUE, limit);
      }
      String[] parts = cursor.get().split("\\.", 2);
      for (int i = 0; i < files.size(); i++) {
        if (parts.length == 2 && parts[0].equals(identity(files.get(i)))) {
          return read(files, i, Long.parseLong(parts[1]), limit);
        }
      }
    } catch (NumberFormatException _) {
      // reported below
    } catch (IOException e) {
      throw ApiProblem.unavailable("The record of acts in " + file + " cannot be read: " + e);
    }
    throw ApiProblem.invalid("cursor must be that of an earlier page; start again without one");
  }

  /// The files that exist, the newest first.
  private List<Path> files() {
    List<Path> files = new ArrayList<>(List.of(file));
    for (int i = 1; i <= AuditLog.KEPT; i++) {
      files.add(file.resolveSibling(file.getFileName() + "." + i));
    }
    return files.stream().filter(Files::exists).toList();
  }

  /// Identity of a file, which a rotation does not change.
  private static String identity(Path path) throws IOException {
    return Files.getAttribute(path, "unix:ino").toString();
  }

  /// Reads one block before a position. A page ends where a file begins.
  private Page read(List<Path> files, int at, long before, int limit) throws IOException {
    Path path = files.get(at);
    String identity = identity(path);
    byte[] block;
    long begin;
    try (FileChannel channel = FileChannel.open(path)) {
      long end = Math.clamp(before, 0, channel.size());
      begin = Math.max(0, end - BLOCK);
      ByteBuffer bytes = ByteBuffer.allocate((int) (end - begin));
      while (bytes.hasRemaining() && channel.read(bytes, begin + bytes.position()) >= 0) {
        // until it is full
      }
      block = bytes.array();
    } catch (NoSuchFileException _) {
      return new Page(List.of(), Optional.empty());
    }
    List<AuditLog.Entry> entries = new ArrayList<>();
    int end = lastEnd(block, block.length);
    while (end > 0 && entries.size() < limit) {
      int start = lastEnd(block, end - 1);
      if (start == 0 && begin > 0) {
        break; // the rest of a line
      }
      add(entries, block, start, end);
      end = start;
    }
    if (begin + end > 0) {
      return new Page(entries, Optional.of(identity + "." + (begin + end)));
    }
    return at + 1 < files.size()
        ? new Page(
            entries, Optional.of(identity(files.get(at + 1)) + "." + Files.size(files.get(at + 1))))
        : new Page(entries, Optional.empty());
  }

  /// Position behind the last line feed before `to`; 0 if there is none.
  private static int lastEnd(byte[] block, int to) {
    int end = to;
    while (end > 0 && block[end - 1] != '\n') {
      end--;
    }
    return end;
  }

  /// A line that a crash cut is left out.
  private void add(List<AuditLog.Entry> entries, byte[] block, int start, int end) {
    try {
      AuditLog.Entry entry = json.readValue(block, start, end - start, AuditLog.Entry.class);
      entries.add(entry);
    } catch (JacksonException _) {
      // not an entry
    }
  }
}
