package io.taskbroker.grpc;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;

/// Warning caused by many threads at once: a single line (G7).
@Tag("concurrency")
@Timeout(300)
final class RareWarningLincheckTest {
  @Test
  void g7ConcurrentWarningsAreOneLine() {
    Interleavings.of(() -> {
      var lines = new Lines();
      var warning = shared(new RareWarning(lines));
      Actor other = start(() -> warning.log("{}", "one"));
      warning.log("{}", "two");
      join(other);
      check(lines.count.get() == 1, lines.count);
    });
  }

  /// Log that only counts events.
  private static final class Lines extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1;

    private final AtomicInteger count = new AtomicInteger();

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level,
        @Nullable Marker marker,
        String message,
        Object @Nullable [] arguments,
        @Nullable Throwable cause) {
      count.incrementAndGet();
    }

    @Override
    public boolean isTraceEnabled() {
      return true;
    }

    @Override
    public boolean isDebugEnabled() {
      return true;
    }

    @Override
    public boolean isInfoEnabled() {
      return true;
    }

    @Override
    public boolean isWarnEnabled() {
      return true;
    }

    @Override
    public boolean isErrorEnabled() {
      return true;
    }
  }
}
