package io.taskbroker.admin;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/// Append-only record of every act, as JSON lines: one line before it, on disk before anything is
/// done, and one line after it. At [#MAX_BYTES] the file is renamed, and [#KEPT] older ones are
/// kept. Thread-safe: one lock.
final class AuditLog implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger("io.taskbroker.audit");
  static final long MAX_BYTES = 16L << 20;
  static final int KEPT = 4;

  private final Path file;
  private final JsonMapper json;
  private final long maxBytes;
  private @Nullable FileChannel channel;

  AuditLog(Path file, JsonMapper json) {
    this(file, json, MAX_BYTES);
  }

  AuditLog(Path file, JsonMapper json, long maxBytes) {
    this.file = file;
    this.json = json;
    this.maxBytes = maxBytes;
  }

  /// Line of the record.
  ///
  /// @param phase `intended`, `done`, `failed` or `refused`
  /// @param act method and path, or the name of the act
  /// @param why given by the caller
  /// @param request what was asked
  /// @param before what was there
  /// @param after what came of it
  record Entry(
      Instant time,
      String phase,
      String who,
      String role,
      String address,
      String act,
      String why,
      @Nullable Object request,
      @Nullable Object before,
      @Nullable Object after) {}

  /// Records an entry; it is on disk when this returns.
  ///
  /// @throws IOException if it cannot be recorded: nothing may be done then
  synchronized void record(Entry entry) throws IOException {
    byte[] text = json.writeValueAsBytes(entry);
    byte[] line = Arrays.copyOf(text, text.length + 1);
    line[text.length] = '\n';
    try {
      FileChannel open = opened(line.length);
      ByteBuffer bytes = ByteBuffer.wrap(line);
      while (bytes.hasRemaining()) {
        int _ = open.write(bytes);
      }
      open.force(true);
    } catch (IOException e) {
      close();
      throw new IOException("it cannot be recorded in " + file + ": " + e, e);
    }
    log.warn(
        "Operator act {}: {} by {} ({}, {}): {}",
        entry.phase(),
        entry.act(),
        entry.who(),
        entry.role(),
        entry.address(),
        entry.why());
  }

  private FileChannel opened(int bytes) throws IOException {
    FileChannel open = channel;
    if (open != null && open.size() > 0 && open.size() + bytes > maxBytes) {
      close();
      rotate();
      open = null;
    }
    if (open == null) {
      boolean cut = isCut();
      open = FileChannel.open(file, CREATE, WRITE, APPEND);
      channel = open;
      if (cut) {
        int _ = open.write(ByteBuffer.wrap(new byte[] {'\n'}));
      }
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
      if (open.size() > 0 && open.size() + bytes > maxBytes) {
        return opened(bytes);
      }
    }
    return open;
  }

  /// Whether the last line is incomplete, since a disk was full or a process killed: it must not
  /// take the next one with it.
  private boolean isCut() throws IOException {
    try (FileChannel last = FileChannel.open(file)) {
      ByteBuffer end = ByteBuffer.allocate(1);
      return last.size() > 0 && last.read(end, last.size() - 1) == 1 && end.get(0) != '\n';
    } catch (NoSuchFileException _) {
      return false;
    }
  }

  private void rotate() throws IOException {
    for (int i = KEPT; i >= 1; i--) {
      Path from = i == 1 ? file : numbered(i - 1);
      try {
        Files.move(from, numbered(i), StandardCopyOption.REPLACE_EXISTING);
      } catch (NoSuchFileException _) {
        // not that many yet
      }
    }
  }

  private Path numbered(int number) {
    return file.resolveSibling(file.getFileName() + "." + number);
  }

  @Override
  public synchronized void close() {
    FileChannel open = channel;
    channel = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        log.debug("Cannot close {}", file, e);
      }
    }
  }
}
