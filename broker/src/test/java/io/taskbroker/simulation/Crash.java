package io.taskbroker.simulation;

/// Crash of the process at this point. An error, so that nothing in the broker catches it.
final class Crash extends Error {
  private static final long serialVersionUID = 1;

  final String where;

  Crash(String where) {
    super(where, null, false, false);
    this.where = where;
  }
}
