package io.taskbroker.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/// Extension that silences the logs of simulated brokers while the tests of a class run: thousands
/// of process lifetimes. Log levels are process-wide, so no other tests may run concurrently.
final class SilentLogs implements BeforeAllCallback, AfterAllCallback {
  @Override
  public void beforeAll(ExtensionContext context) {
    logger().setLevel(Level.OFF);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    logger().setLevel(null);
  }

  private static Logger logger() {
    return (Logger) LoggerFactory.getLogger("io.taskbroker");
  }
}
