package io.taskbroker.admin.web;

import java.util.ArrayDeque;
import java.util.List;

/// Figures of the last half hour, for the small graphs of the page: one point every few seconds.
/// Thread-safe: one lock.
public final class Trend {
  static final int POINTS = 360;

  private final ArrayDeque<Point> points = new ArrayDeque<>();

  /// Figures at one moment; the counters count since the start.
  ///
  /// @param at milliseconds since the epoch
  /// @param waiting tasks in memory that no worker has
  /// @param running tasks that workers have
  /// @param oldestSeconds age of the oldest task that waits
  /// @param waitedSeconds time that 99 % of the tasks of the last minute waited at most
  /// @param ranSeconds time that 99 % of them ran at most
  public record Point(
      long at,
      long completed,
      long failed,
      long retried,
      long deadLettered,
      long waiting,
      long running,
      double oldestSeconds,
      double waitedSeconds,
      double ranSeconds) {}

  public synchronized void add(Point point) {
    if (points.size() == POINTS) {
      points.removeFirst();
    }
    points.addLast(point);
  }

  /// Points that are later than a time.
  synchronized List<Point> after(long at) {
    return points.stream().filter(point -> point.at() > at).toList();
  }
}
