package io.taskbroker.runtime;

/// Where a stage that cannot go on says so: the process ends, with a non-zero exit code and one
/// line that says why (G9). Thread-safe; returns at once.
@FunctionalInterface
public interface FailureSink {
  void failed(String stage, Throwable cause);
}
