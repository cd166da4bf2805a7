package io.taskbroker.conformance;

import io.taskbroker.testkit.EmbeddedKafka;

/// The old client with the high version number, in pull mode and without a secret. It writes the
/// parameters as JSON, too. In push mode it cannot work with any current broker: it reports to the
/// deprecated `callback_url`.
final class OldClientTest extends BasicContract {
  OldClientTest(EmbeddedKafka kafka) {
    super(Deployment.pull(kafka, "old", PythonEnvironment.OLD));
  }
}
