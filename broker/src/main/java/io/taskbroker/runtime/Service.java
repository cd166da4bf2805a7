package io.taskbroker.runtime;

/// A part of the broker that is started once and stopped once. Services are started in order and
/// stopped in reverse.
public interface Service {
  /// Names the service in logs and error messages.
  String name();

  /// Returns when the service works.
  ///
  /// @throws RuntimeException if it cannot start; it has then released what it held
  void start();

  /// Takes in nothing more, finishes what it accepted, and returns when nothing of it runs any
  /// more. May be called more than once, and also when [#start] was not called or failed.
  void stop();
}
