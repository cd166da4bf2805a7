package io.taskbroker.telemetry;

import io.taskbroker.runtime.Service;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Audit stream of the steps of tasks: a file of JSON lines, rotated at a size. A task never waits
/// for it: lines that do not fit into its queue, or that the disk refuses, are dropped and counted,
/// and a line says how many are missing. Confined to the engine's thread, except [#dropped],
/// [#flush], [#start] and [#stop].
public final class TaskStepFile implements Service, TaskStepSink {
  private static final Duration STOP = Duration.ofSeconds(1);

  private final LineStream lines;

  /// Size at which the file is renamed, and number of older files that are kept.
  ///
  /// @param maxBytes of one file
  public record Rotation(long maxBytes, int kept) {}

  /// @param file created if it is missing; its folder must exist
  public TaskStepFile(Path file, Rotation rotation) {
    lines = new LineStream("task-steps", new Rotated(file, rotation));
    lines.noticeDropsBy(TaskStepFile::missing);
  }

  @Override
  public void step(String step, long at, Subject task, String detail) {
    lines.write(line(TaskStepJson.of(step, at, task, detail)), false);
  }

  private static byte[] missing(long number) {
    return line(TaskStepJson.missing(number));
  }

  private static byte[] line(byte[] json) {
    byte[] line = Arrays.copyOf(json, json.length + 1);
    line[json.length] = '\n';
    return line;
  }

  @Override
  public String name() {
    return "task steps";
  }

  @Override
  public void start() {}

  /// Waits a moment until everything is written.
  @Override
  public void stop() {
    boolean _ = flush(STOP);
  }

  @Override
  public long dropped() {
    return lines.dropped();
  }

  /// Waits until everything is written, or for the given time. Thread-safe.
  ///
  /// @return false on timeout
  public boolean flush(Duration timeout) {
    return lines.flush(timeout);
  }

  /// File that is renamed when it is full: `FILE` to `FILE.1`, that to `FILE.2`, and so on. After a
  /// failure it is opened anew. Confined to the writer thread.
  private static final class Rotated extends OutputStream {
    private final Path file;
    private final Rotation rotation;
    private @Nullable OutputStream current;
    private long size;

    Rotated(Path file, Rotation rotation) {
      this.file = file;
      this.rotation = rotation;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      OutputStream out = current;
      if (out != null && size > 0 && size + length > rotation.maxBytes()) {
        close();
        rotate();
        out = null;
      }
      try {
        out = out == null ? open() : out;
        out.write(bytes, offset, length);
        size += length;
      } catch (IOException e) {
        close();
        throw e;
      }
    }

    private OutputStream open() throws IOException {
      OutputStream out =
          Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      current = out;
      size = Files.size(file);
      return out;
    }

    private void rotate() throws IOException {
      for (int number = rotation.kept(); number > 0; number--) {
        Path from = number == 1 ? file : older(number - 1);
        if (Files.exists(from)) {
          Files.move(from, older(number), StandardCopyOption.REPLACE_EXISTING);
        }
      }
      if (rotation.kept() == 0) {
        Files.deleteIfExists(file);
      }
    }

    private Path older(int number) {
      return file.resolveSibling(file.getFileName() + "." + number);
    }

    @Override
    public void close() {
      OutputStream out = current;
      current = null;
      if (out != null) {
        try {
          out.close();
        } catch (IOException _) {
          // what it lost is counted with the write that failed
        }
      }
    }
  }
}
