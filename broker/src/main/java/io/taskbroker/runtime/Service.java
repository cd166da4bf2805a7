package io.taskbroker.runtime;

/// Component with a lifecycle: started once and stopped once. Services are started in order and
/// stopped in reverse.
public interface Service {
  /// Name in logs and error messages.
  String name();

  /// Starts the service; returns when it works.
  ///
  /// @throws RuntimeException if it cannot start; it has then released its resources
  void start();

  /// Stops accepting work, finishes the accepted work, and returns when nothing of the service runs
  /// any more. May be called repeatedly, and also if [#start] was not called or failed.
  void stop();
}
