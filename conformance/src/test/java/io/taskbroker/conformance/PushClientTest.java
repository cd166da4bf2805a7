package io.taskbroker.conformance;

import io.taskbroker.testkit.EmbeddedKafka;

/// The current client in push mode, without a secret.
final class PushClientTest extends FullContract {
  PushClientTest(EmbeddedKafka kafka) {
    super(Deployment.push(kafka, "push", PythonEnvironment.CURRENT));
  }
}
