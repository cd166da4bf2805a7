package io.taskbroker.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.LoggerFactory;

/// Logging setup: text or JSON on the standard error stream, with levels from a filter in the
/// reference's syntax, `info,librdkafka=warn,taskbroker::upkeep=debug` (reference-spec 3.2, 10.3).
public final class Logging {
  /// Loggers here by the reference's target.
  private static final Map<String, List<String>> TARGETS =
      Map.of(
          "librdkafka", List.of("org.apache.kafka"),
          "rdkafka", List.of("org.apache.kafka"),
          "h2", List.of("io.netty", "io.grpc"),
          "tonic", List.of("io.grpc"),
          "sqlx", List.of("io.taskbroker.store"));

  /// Verbose libraries, limited to `warn`.
  private static final List<String> QUIET =
      List.of(
          "org.apache.kafka",
          "io.netty",
          "io.grpc",
          "kafka",
          "state",
          "org.flywaydb",
          "org.eclipse.jetty",
          "com.zaxxer.hikari");

  /// Library that logs the bytes of requests at `debug`, bearer tokens and cookies included: it
  /// logs at `info` at most, whatever is asked for.
  private static final String SHOWS_SECRETS = "org.eclipse.jetty";

  private static final String CONNECTIONS = "org.apache.kafka.clients.NetworkClient";

  /// Loggers that warn about each connection attempt, several times a second while a cluster is
  /// down, and about each fetch, hundreds of times a second while a topic is missing. The component
  /// that waits logs the outage once.
  private static final List<String> ATTEMPTS =
      List.of(CONNECTIONS, "org.apache.kafka.clients.consumer.internals.FetchCollector");

  /// Messages that Kafka's clients log at `error` on each attempt while authentication fails. The
  /// component that waits for the cluster logs the failure once.
  private static final Map<String, String> REPEATED =
      Map.of(
          CONNECTIONS,
          "failed authentication due to",
          "org.apache.kafka.clients.producer.internals.Sender",
          "Aborting producer batches due to fatal error",
          "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator",
          "JoinGroup failed");

  private Logging() {}

  /// Format of log lines.
  public enum Format {
    TEXT,
    /// As the reference's.
    JSON,
    /// JSON in the Elastic Common Schema.
    ECS
  }

  /// Configures logging for the whole process.
  ///
  /// @return the directives of the filter that could not be parsed
  public static List<String> configure(String filter, Format format) {
    return configure(filter, format, StandardStreams.error());
  }

  /// The same with another output stream.
  static List<String> configure(String filter, Format format, LineStream stream) {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    LibraryLogs.install();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.addAppender(appender(context, format, stream));
    root.setLevel(Level.INFO);
    QUIET.forEach(name -> context.getLogger(name).setLevel(Level.WARN));
    List<String> unknown =
        java.util.Arrays.stream(filter.split(",", -1))
            .map(String::strip)
            .filter(directive -> !directive.isEmpty() && !apply(context, directive))
            .toList();
    for (String name : ATTEMPTS) {
      Logger attempts = context.getLogger(name);
      if (attempts.getEffectiveLevel() == Level.WARN) {
        attempts.setLevel(Level.ERROR);
      }
    }
    return unknown;
  }

  /// Levels that were set, by logger.
  public static Map<String, String> levels() {
    var levels = new TreeMap<String, String>();
    for (Logger logger : ((LoggerContext) LoggerFactory.getILoggerFactory()).getLoggerList()) {
      Level level = logger.getLevel();
      if (level != null) {
        levels.put(logger.getName(), level.toString().toLowerCase(Locale.ROOT));
      }
    }
    return levels;
  }

  /// Sets a level by a directive of the filter, such as `debug` or `taskbroker::ingest=debug`,
  /// until the process ends.
  ///
  /// @return whether the directive is valid
  public static boolean set(String directive) {
    return apply((LoggerContext) LoggerFactory.getILoggerFactory(), directive);
  }

  private static boolean apply(LoggerContext context, String directive) {
    int equals = directive.indexOf('=');
    Level level = level(directive.substring(equals + 1));
    if (level == null) {
      return false;
    }
    if (equals < 0) {
      context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(level);
      return true;
    }
    String target = directive.substring(0, equals);
    List<String> names = TARGETS.get(target);
    if (names == null) {
      String name = target.replace("::", ".");
      names = List.of(name.startsWith("taskbroker") ? "io." + name : name);
    }
    names.forEach(name -> context.getLogger(name).setLevel(withoutSecrets(name, level)));
    return true;
  }

  private static Level withoutSecrets(String logger, Level level) {
    boolean shows = (logger + ".").startsWith(SHOWS_SECRETS + ".");
    return shows && !level.isGreaterOrEqual(Level.INFO) ? Level.INFO : level;
  }

  private static @org.jspecify.annotations.Nullable Level level(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "trace" -> Level.TRACE;
      case "debug" -> Level.DEBUG;
      case "info" -> Level.INFO;
      case "warn" -> Level.WARN;
      case "error" -> Level.ERROR;
      case "off" -> Level.OFF;
      default -> null;
    };
  }

  private static Encoder<ILoggingEvent> encoder(Format format) {
    return switch (format) {
      case TEXT -> new TextLines();
      case JSON -> new JsonLines(JsonLines.Names.REFERENCE);
      case ECS -> new JsonLines(JsonLines.Names.ECS);
    };
  }

  private static LogAppender appender(LoggerContext loggers, Format format, LineStream stream) {
    var appender = new LogAppender(loggers, encoder(format), stream);
    appender.addFilter(
        new Filter<>() {
          @Override
          public FilterReply decide(ILoggingEvent event) {
            return isRepeated(loggers, event) ? FilterReply.DENY : FilterReply.NEUTRAL;
          }
        });
    appender.start();
    return appender;
  }

  private static boolean isRepeated(LoggerContext loggers, ILoggingEvent event) {
    String repeated = REPEATED.get(event.getLoggerName());
    return repeated != null
        && event.getMessage().contains(repeated)
        && !loggers.getLogger(event.getLoggerName()).isInfoEnabled();
  }
}
