package io.taskbroker.runtime;

/// What can be seen of a stage from outside, without its help (G9). Thread-safe, never blocks.
public interface Progress {
  String name();

  /// Whether there is work that the stage could do now; work that is held back by a bound on
  /// purpose does not count.
  boolean hasWork();

  /// Grows whenever the stage has done something.
  long done();

  /// Why the stage cannot do what it is there for, in one line, if it knows; empty if it can.
  /// Counts at once, whether it moves or not.
  default String obstacle() {
    return "";
  }
}
