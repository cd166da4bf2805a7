package io.taskbroker.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import io.sentry.DataCategory;
import io.sentry.Sentry;
import io.sentry.SentryOptions;
import io.sentry.logback.SentryAppender;
import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.runtime.Service;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.LoggerFactory;

/// Reports to Sentry (reference-spec 10.3): what is logged as an error is an event, what is logged
/// at info or above goes to its logs, and is what led to an event. All of it happens on threads of
/// its own, behind a bounded queue: who logs waits neither for Sentry, nor for the library, which
/// looks up the name of the host. What cannot be sent is dropped and counted. Nothing of this is
/// loaded without a DSN. Thread-safe.
public final class ErrorReports implements Service {
  private static final org.slf4j.Logger log = LoggerFactory.getLogger(ErrorReports.class);
  private static final int TIMEOUT_MILLIS = 2_000;
  private static final long LAST_WORDS_MILLIS = 1_000;
  private static final Duration STOP_TIME = Duration.ofMillis(1_500);

  /// What waits for the library at most, in bytes as [#size] estimates them.
  private static final long CAPACITY = 1 << 20;

  /// An event without its message.
  private static final long EVENT_BYTES = 1 << 10;

  private static final long WARNED_NANOS = Duration.ofMinutes(1).toNanos();

  private final SentryAppender appender;
  private final SideChannel<ILoggingEvent> channel;
  private final UnsynchronizedAppenderBase<ILoggingEvent> intake = new Intake();
  private final SentryDeliveries deliveries =
      new SentryDeliveries(number -> discarded("no_answer_or_refused", number));
  private final LongAdder discarded = new LongAdder();
  private final AtomicLong warnedAt = new AtomicLong(System.nanoTime() - WARNED_NANOS);

  private ErrorReports() {
    this.appender = new SentryAppender();
    this.channel = new SideChannel<>("sentry", CAPACITY, ErrorReports::size, new Library());
  }

  /// Reports from now on.
  ///
  /// @param dsn where to
  /// @param tags go with every event
  /// @throws IllegalArgumentException if the DSN is none
  public static ErrorReports open(
      String dsn, Optional<String> environment, Map<String, String> tags) {
    var options = new SentryOptions();
    options.setDsn(dsn);
    environment.ifPresent(options::setEnvironment);
    tags.forEach(options::setTag);
    var build = BuildInfo.current();
    options.setRelease("taskbroker@" + build.version() + "+" + build.commit());
    options.getLogs().setEnabled(true);
    options.setSendDefaultPii(false);
    options.setEnableExternalConfiguration(false);
    options.setEnableShutdownHook(false);
    options.setEnableAutoSessionTracking(false);
    options.setConnectionTimeoutMillis(TIMEOUT_MILLIS);
    options.setReadTimeoutMillis(TIMEOUT_MILLIS);
    options.setShutdownTimeoutMillis(LAST_WORDS_MILLIS);
    options.addInAppInclude("io.taskbroker");
    var reports = new ErrorReports();
    options.setOnDiscard((reason, category, number) -> {
      if (category != DataCategory.LogByte) { // counts what LogItem counts, in bytes
        reports.discarded(reason.getReason(), number);
      }
    });
    options.setEnvelopeDiskCache(reports.deliveries);
    try {
      Sentry.init(options);
    } catch (IllegalArgumentException e) {
      // The message of the library would show the DSN.
      throw new IllegalArgumentException("sentry_dsn is not a DSN of Sentry");
    }
    reports.attach(options);
    return reports;
  }

  private void attach(SentryOptions options) {
    Logger root = root();
    appender.setOptions(options);
    appender.setMinimumEventLevel(Level.ERROR);
    appender.setMinimumBreadcrumbLevel(Level.INFO);
    appender.setMinimumLevel(Level.INFO);
    appender.setContext(root.getLoggerContext());
    appender.start();
    intake.setContext(root.getLoggerContext());
    intake.start();
    root.addAppender(intake);
  }

  @Override
  public String name() {
    return "error reports";
  }

  @Override
  public void start() {}

  /// How many lines of the log and reports did not reach Sentry.
  public long dropped() {
    return channel.dropped() + discarded.sum() + deliveries.overdue();
  }

  /// Sends what is left, within 1.5 s.
  @Override
  public void stop() {
    root().detachAppender(intake);
    intake.stop();
    Thread last =
        Thread.ofPlatform()
            .name("sentry-stop")
            .daemon()
            .start(() -> {
              boolean _ = channel.flush(Duration.ofMillis(LAST_WORDS_MILLIS));
              appender.stop();
              Sentry.close();
            });
    try {
      boolean _ = last.join(STOP_TIME);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// Called by the library, whose queue is full or whose request failed.
  private void discarded(String reason, long number) {
    discarded.add(number);
    long now = System.nanoTime();
    long before = warnedAt.get();
    if (now - before >= WARNED_NANOS && warnedAt.compareAndSet(before, now)) {
      log.warn(
          "Sentry did not get {} reports so far, the last for the reason {}; said once a minute",
          dropped(),
          reason);
    }
  }

  private static long size(ILoggingEvent event) {
    String message = event.getFormattedMessage();
    return EVENT_BYTES + (message == null ? 0 : message.length());
  }

  /// The side of those who log.
  private final class Intake extends UnsynchronizedAppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      if (event.getLevel().isGreaterOrEqual(Level.INFO)) {
        event.prepareForDeferredProcessing();
        boolean _ = channel.offer(event, event.getLevel().isGreaterOrEqual(Level.ERROR));
      }
    }
  }

  /// The side of the library.
  private final class Library implements SideChannel.Receiver<ILoggingEvent> {
    @Override
    public void take(ILoggingEvent event) {
      appender.doAppend(event);
    }

    @Override
    public void lost(long events) {
      log.warn("{} lines of the log were not given to Sentry, which takes them too slowly", events);
    }
  }

  private static Logger root() {
    return ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }
}
