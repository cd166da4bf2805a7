package io.taskbroker.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import io.sentry.Sentry;
import io.sentry.SentryOptions;
import io.sentry.logback.SentryAppender;
import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.runtime.Service;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/// Reports to Sentry (reference-spec 10.3): what is logged as an error is an event, what is logged
/// at info or above goes to its logs, and is what led to an event. Sends from threads of its own,
/// and drops what it cannot send; nothing of this is loaded without a DSN.
public final class ErrorReports implements Service {
  private static final int TIMEOUT_MILLIS = 2_000;
  private static final long LAST_WORDS_MILLIS = 1_000;

  private final SentryAppender appender;

  private ErrorReports(SentryAppender appender) {
    this.appender = appender;
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
    try {
      Sentry.init(options);
    } catch (IllegalArgumentException e) {
      // The message of the library would show the DSN.
      throw new IllegalArgumentException("sentry_dsn is not a DSN of Sentry");
    }
    var appender = new SentryAppender();
    appender.setOptions(options);
    appender.setMinimumEventLevel(Level.ERROR);
    appender.setMinimumBreadcrumbLevel(Level.INFO);
    appender.setMinimumLevel(Level.INFO);
    Logger root = root();
    appender.setContext(root.getLoggerContext());
    appender.start();
    root.addAppender(appender);
    return new ErrorReports(appender);
  }

  @Override
  public String name() {
    return "error reports";
  }

  @Override
  public void start() {}

  /// Sends what is left, within a second.
  @Override
  public void stop() {
    root().detachAppender(appender);
    appender.stop();
    Sentry.close();
  }

  private static Logger root() {
    return ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }
}
