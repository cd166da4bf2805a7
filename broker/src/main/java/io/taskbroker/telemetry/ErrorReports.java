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

/// Error reporter for Sentry (reference-spec 10.3): log lines at error become events; lines at info
/// and above go to Sentry's logs and become the breadcrumbs of events. The work runs on separate
/// threads behind a bounded queue: a logging thread waits neither for Sentry nor for the library,
/// which resolves the host name. Events that cannot be sent are dropped and counted. Nothing is
/// loaded without a DSN. Thread-safe.
public final class ErrorReports implements Service {
  private static final org.slf4j.Logger log = LoggerFactory.getLogger(ErrorReports.class);
  private static final int TIMEOUT_MILLIS = 2_000;
  private static final long FLUSH_MILLIS = 1_000;
  private static final Duration STOP_TIME = Duration.ofMillis(1_500);

  /// Maximum size of the queue, in bytes as estimated by [#size].
  private static final long CAPACITY = 1 << 20;

  /// Estimated size of an event without its message.
  private static final long EVENT_BYTES = 1 << 10;

  private static final long WARNED_NANOS = Duration.ofMinutes(1).toNanos();

  private final SentryAppender appender;
  private final SideChannel<ILoggingEvent> channel;
  private final UnsynchronizedAppenderBase<ILoggingEvent> queueAppender = new QueueAppender();
  private final SentryDeliveries deliveries =
      new SentryDeliveries(number -> discarded("no_answer_or_refused", number));
  private final LongAdder discarded = new LongAdder();
  private final AtomicLong warnedAt = new AtomicLong(System.nanoTime() - WARNED_NANOS);

  private ErrorReports() {
    this.appender = new SentryAppender();
    this.channel = new SideChannel<>("sentry", CAPACITY, ErrorReports::size, new SentryReceiver());
  }

  /// Starts reporting.
  ///
  /// @param dsn address of the Sentry project
  /// @param tags added to every event
  /// @throws IllegalArgumentException if the DSN is invalid
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
    options.setShutdownTimeoutMillis(FLUSH_MILLIS);
    options.addInAppInclude("io.taskbroker");
    var reports = new ErrorReports();
    options.setOnDiscard((reason, category, number) -> {
      if (category != DataCategory.LogByte) { // the bytes of what LogItem counts
        reports.discarded(reason.getReason(), number);
      }
    });
    options.setEnvelopeDiskCache(reports.deliveries);
    try {
      Sentry.init(options);
    } catch (IllegalArgumentException e) {
      // The library's message contains the DSN.
      throw new IllegalArgumentException("sentry_dsn is not a valid Sentry DSN");
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
    queueAppender.setContext(root.getLoggerContext());
    queueAppender.start();
    root.addAppender(queueAppender);
  }

  @Override
  public String name() {
    return "error reports";
  }

  @Override
  public void start() {}

  /// Number of log lines and reports that did not reach Sentry.
  public long dropped() {
    return channel.dropped() + discarded.sum() + deliveries.overdue();
  }

  /// Sends the remaining reports, within 1.5 s.
  @Override
  public void stop() {
    root().detachAppender(queueAppender);
    queueAppender.stop();
    Thread last =
        Thread.ofPlatform()
            .name("sentry-stop")
            .daemon()
            .start(() -> {
              boolean _ = channel.flush(Duration.ofMillis(FLUSH_MILLIS));
              appender.stop();
              Sentry.close();
            });
    try {
      boolean _ = last.join(STOP_TIME);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// Called by the library when its queue is full or a request failed.
  private void discarded(String reason, long number) {
    discarded.add(number);
    long now = System.nanoTime();
    long before = warnedAt.get();
    if (now - before >= WARNED_NANOS && warnedAt.compareAndSet(before, now)) {
      log.warn(
          "{} reports to Sentry were dropped so far, last reason: {}; logged at most once a minute",
          dropped(),
          reason);
    }
  }

  private static long size(ILoggingEvent event) {
    String message = event.getFormattedMessage();
    return EVENT_BYTES + (message == null ? 0 : message.length());
  }

  /// Logback appender that enqueues events; runs on the logging threads.
  private final class QueueAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      if (event.getLevel().isGreaterOrEqual(Level.INFO)) {
        event.prepareForDeferredProcessing();
        boolean _ = channel.offer(event, event.getLevel().isGreaterOrEqual(Level.ERROR));
      }
    }
  }

  /// Consumer of the queue; passes events to the Sentry library.
  private final class SentryReceiver implements SideChannel.Receiver<ILoggingEvent> {
    @Override
    public void take(ILoggingEvent event) {
      appender.doAppend(event);
    }

    @Override
    public void lost(long events) {
      log.warn("{} log lines were not sent to Sentry: its client is too slow", events);
    }
  }

  private static Logger root() {
    return ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }
}
