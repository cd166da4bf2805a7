package io.taskbroker.cli;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/// Output of a program: passed on to the standard output of this process, and its beginning kept as
/// the result of the task. Thread-safe.
final class ProgramOutput {
  /// Largest result that a broker takes.
  private static final int MAX_BYTES = 64 << 10;

  /// How long the output is read on after the end of its program, whose children may still have it.
  private static final Duration MORE = Duration.ofSeconds(1);

  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
  private final Thread reader;

  ProgramOutput(InputStream output) {
    reader = Thread.ofVirtual().start(() -> pass(output));
  }

  private void pass(InputStream output) {
    byte[] bytes = new byte[8_192];
    try (output) {
      for (int read = output.read(bytes); read >= 0; read = output.read(bytes)) {
        System.out.write(bytes, 0, read);
        System.out.flush();
        synchronized (kept) {
          kept.write(bytes, 0, Math.min(read, MAX_BYTES - kept.size()));
        }
      }
    } catch (IOException _) {
      // Its program was killed.
    }
  }

  /// What was kept, once the program has ended.
  ByteString await() throws InterruptedException {
    reader.join(MORE);
    synchronized (kept) {
      return ByteString.copyFrom(kept.toByteArray());
    }
  }
}
