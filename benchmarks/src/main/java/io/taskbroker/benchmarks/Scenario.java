package io.taskbroker.benchmarks;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// What one end-to-end run is to be.
///
/// @param name of the result, and what the result is found by
/// @param mode who begins a delivery
/// @param millis how long a worker takes for a task
/// @param reportBatch results in one report of a push worker
/// @param concurrency tasks that workers run at a time
/// @param store where the broker keeps what is in flight
/// @param offer what is published, and when
/// @param neighbours other applications beside the one that is measured
/// @param broker how the broker is started
record Scenario(
    String name,
    Mode mode,
    int millis,
    int reportBatch,
    int concurrency,
    Store store,
    Offer offer,
    Neighbours neighbours,
    Launch broker) {

  private static final long SECOND_NANOS = 1_000_000_000;

  /// Who begins a delivery.
  enum Mode {
    PUSH,
    PULL
  }

  /// The database.
  enum Store {
    SQLITE,
    POSTGRES
  }

  /// What is published.
  ///
  /// @param length how long to publish; ignored with a backlog
  /// @param rate tasks a second, due at times that are fixed beforehand; 0 for as many as the
  ///   broker completes
  /// @param window with a rate of 0: tasks that are published and not completed, at most
  /// @param backlog tasks that are published before the broker starts, and none after; 0 for none
  /// @param parameterBytes size of a task's parameters
  /// @param lingerMillis how long the producer waits for company
  /// @param warmRate the rate of the first half, in which the broker is to be compiled
  record Offer(
      Duration length,
      int rate,
      int window,
      int backlog,
      int parameterBytes,
      int lingerMillis,
      int warmRate) {
    Offer(
        Duration length, int rate, int window, int backlog, int parameterBytes, int lingerMillis) {
      this(length, rate, window, backlog, parameterBytes, lingerMillis, rate);
    }

    /// How many tasks there can be at most.
    int capacity() {
      if (backlog > 0) {
        return backlog;
      }
      long rateOrMore = rate > 0 ? Math.max(rate, warmRate) : 60_000;
      return Math.toIntExact(rateOrMore * Math.max(1, length.toSeconds()) + window);
    }

    /// When a task is to be published, in nanoseconds from the first one.
    long dueAt(int number) {
      long half = length.toNanos() / 2;
      long warm = warmRate * length.toMillis() / 2_000;
      return number < warm
          ? number * SECOND_NANOS / warmRate
          : half + (number - warm) * SECOND_NANOS / rate;
    }
  }

  /// Who does not do well beside: applications in the same topic, a session of the database.
  ///
  /// @param deadRate tasks a second for an application whose workers are not there
  /// @param slowRate tasks a second for one whose only worker takes 10 s for each, 64 at a time
  /// @param snapshot whether a session of somebody else reads an old state of Postgres all the
  ///   time, so that no row that was deleted since can be cleaned up
  /// @param delayed tasks of the application that is measured, which the broker has from the
  ///   beginning and which run after the end
  /// @param waiting tasks of the application whose workers are not there, which the broker has from
  ///   the beginning
  record Neighbours(int deadRate, int slowRate, boolean snapshot, int delayed, int waiting) {
    static final Neighbours NONE = new Neighbours(0, 0, false, 0, 0);

    int rate() {
      return deadRate + slowRate;
    }

    /// How many the broker has from the beginning.
    int crowd() {
      return delayed + waiting;
    }
  }

  /// How the broker is started.
  ///
  /// @param command split at spaces; `{config}` stands for the path of its configuration
  /// @param environment added to that of this process
  /// @param probed whether a Java broker is asked what it allocates, which takes some memory of it
  /// @param rehearsal how long another broker is under load before, so that it is this one that
  ///   begins cold, and not Kafka and the load program
  record Launch(
      List<String> command, Map<String, String> environment, boolean probed, Duration rehearsal) {
    Launch {
      command = List.copyOf(command);
      environment = Map.copyOf(environment);
    }
  }
}
