package io.taskbroker.conformance;

import io.taskbroker.testkit.EmbeddedKafka;

/// The current client in push mode, without a secret. The broker starts before there is a worker
/// (W13).
final class PushModeTest extends FullContract {
  PushModeTest(EmbeddedKafka kafka) {
    super(Deployment.push(kafka, "push", PythonEnvironment.CURRENT));
  }
}
