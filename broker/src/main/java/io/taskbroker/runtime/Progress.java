package io.taskbroker.runtime;

/// Progress of a stage, observable from outside without its cooperation (G9). Thread-safe, never
/// blocks.
public interface Progress {
  String name();

  /// Whether the stage has work that it could do now; work held back by a limit does not count.
  boolean hasWork();

  /// Counter that grows with each unit of work done.
  long done();

  /// Reason why the stage cannot work, in one line; empty if it can or does not know. Counts at
  /// once, whether the stage makes progress or not.
  default String obstacle() {
    return "";
  }

  /// Whether its progress depends on nothing outside the process, so that only a restart helps if
  /// it makes none.
  default boolean isSelfContained() {
    return false;
  }
}
