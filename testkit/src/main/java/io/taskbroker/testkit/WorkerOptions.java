package io.taskbroker.testkit;

import java.util.List;

/// Options of a simulated worker.
///
/// @param broker `host:port` for reports and fetches
/// @param port that a push worker listens on; 0 for any
/// @param concurrency maximum number of concurrent tasks
/// @param secrets shared with the broker: the first signs, any is accepted; none disables
///   signatures
/// @param reportBatch maximum number of results per report of a push worker; 1 uses
///   `SetTaskStatus`, more uses `SetBatchActivationStatus` with the results available
public record WorkerOptions(
    String broker, int port, int concurrency, List<String> secrets, int reportBatch) {
  private static final int CONCURRENCY = 16_384;

  public WorkerOptions {
    secrets = List.copyOf(secrets);
    if (concurrency < 1 || reportBatch < 1) {
      throw new IllegalArgumentException(
          "concurrency and reportBatch must be positive: " + concurrency + ", " + reportBatch);
    }
  }

  public static WorkerOptions of(String broker) {
    return new WorkerOptions(broker, 0, CONCURRENCY, List.of(), 1);
  }

  public WorkerOptions onPort(int other) {
    return new WorkerOptions(broker, other, concurrency, secrets, reportBatch);
  }

  public WorkerOptions withConcurrency(int other) {
    return new WorkerOptions(broker, port, other, secrets, reportBatch);
  }

  public WorkerOptions withSecrets(List<String> other) {
    return new WorkerOptions(broker, port, concurrency, other, reportBatch);
  }

  public WorkerOptions withReportBatch(int other) {
    return new WorkerOptions(broker, port, concurrency, secrets, other);
  }

  @Override
  public String toString() {
    return "WorkerOptions[broker=%s, port=%d, concurrency=%d, %d secrets, reportBatch=%d]"
        .formatted(broker, port, concurrency, secrets.size(), reportBatch);
  }
}
