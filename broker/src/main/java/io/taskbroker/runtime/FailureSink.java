package io.taskbroker.runtime;

/// Receiver of fatal stage failures: the process ends with a non-zero exit code and one line that
/// names the cause (G9). Thread-safe; never blocks.
@FunctionalInterface
public interface FailureSink {
  void failed(String stage, Throwable cause);
}
