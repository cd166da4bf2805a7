package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigLoader;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A broker within another program, such as a test: the same stages as the process, without its
/// signals, its logging set-up and its exit code. Thread-safe.
public final class EmbeddedBroker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedBroker.class);

  private final BrokerConfig config;
  private final Broker broker;
  private final AtomicReference<@Nullable Throwable> failure;

  private EmbeddedBroker(
      BrokerConfig config, Broker broker, AtomicReference<@Nullable Throwable> failure) {
    this.config = config;
    this.broker = broker;
    this.failure = failure;
  }

  /// Starts a broker and returns once it serves.
  ///
  /// @param settings configuration in the form of environment variables, such as
  ///   `TASKBROKER_GRPC_PORT`; the environment of this process does not count
  /// @throws io.taskbroker.config.ConfigException with every problem of the settings
  public static EmbeddedBroker start(Map<String, String> settings) {
    return start(ConfigLoader.load(Optional.empty(), settings, log::warn));
  }

  /// Starts a broker with a configuration file, as [#start(Map)].
  public static EmbeddedBroker start(Path file) {
    return start(ConfigLoader.load(Optional.of(file), Map.of(), log::warn));
  }

  private static EmbeddedBroker start(BrokerConfig config) {
    var failure = new AtomicReference<@Nullable Throwable>();
    Broker broker = new Broker(config, (stage, cause) -> failed(failure, stage, cause));
    try {
      broker.start();
    } catch (RuntimeException e) {
      broker.stop();
      throw e;
    }
    return new EmbeddedBroker(config, broker, failure);
  }

  private static void failed(
      AtomicReference<@Nullable Throwable> failure, String stage, Throwable cause) {
    if (failure.compareAndSet(null, cause)) {
      log.error("{} failed", stage, cause);
    }
  }

  /// Address for clients and workers, `host:port`.
  public String address() {
    return config.grpc().address().getHostAddress() + ":" + config.grpc().port();
  }

  /// The first failure of a stage; a broker process would have ended by it.
  public Optional<Throwable> failure() {
    return Optional.ofNullable(failure.get());
  }

  /// Stops it as a signal stops the process: accepted work is finished or stays in the store.
  @Override
  public void close() {
    broker.stop();
  }
}
