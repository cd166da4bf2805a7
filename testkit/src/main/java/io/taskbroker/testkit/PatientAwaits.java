package io.taskbroker.testkit;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Extension of JUnit that lets a test wait for a minute for what it awaits. Only a test that fails
/// waits that long; the ten seconds of the library also pass on a busy machine. Found by JUnit in
/// modules that have `junit-platform.properties` for it.
public final class PatientAwaits implements BeforeAllCallback {
  /// As long as the bounds that tests set themselves.
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  @Override
  public void beforeAll(ExtensionContext context) {
    Awaitility.setDefaultTimeout(PATIENCE);
  }
}
