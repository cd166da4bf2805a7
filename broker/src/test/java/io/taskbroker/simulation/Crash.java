package io.taskbroker.simulation;

/// The process dies here. An error, so that nothing in the broker catches it.
final class Crash extends Error {
  private static final long serialVersionUID = 1;

  final String where;

  Crash(String where) {
    super(where, null, false, false);
    this.where = where;
  }
}
