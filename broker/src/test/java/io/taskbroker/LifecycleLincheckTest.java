package io.taskbroker;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings.Actor;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Stages that fail concurrently: one line reports the cause (G9).
@Tag("concurrency")
@Timeout(300)
final class LifecycleLincheckTest {
  private final PrintStream before = System.err;
  private final Lines lines = new Lines();

  @BeforeEach
  void redirect() {
    System.setErr(lines);
  }

  @AfterEach
  void restore() {
    System.setErr(before);
  }

  @Test
  void g9ConcurrentFailuresAreReportedInOneLine() {
    Interleavings.of(() -> {
      lines.count.set(0);
      var lifecycle = shared(new Lifecycle(() -> {}));
      Actor other = start(() -> lifecycle.failed("one", new IllegalStateException("broken")));
      lifecycle.failed("two", new IllegalStateException("broken"));
      join(other);
      check(lines.count.get() == 1, lines.count);
    });
  }

  /// A stream that only counts lines.
  private static final class Lines extends PrintStream {
    private final AtomicInteger count = new AtomicInteger();

    Lines() {
      super(OutputStream.nullOutputStream());
    }

    @Override
    public void println(String line) {
      if (line.startsWith("taskbroker: ")) {
        count.incrementAndGet();
      }
    }
  }
}
