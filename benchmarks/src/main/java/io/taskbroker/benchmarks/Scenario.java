package io.taskbroker.benchmarks;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Parameters of one end-to-end run.
///
/// @param name of the result
/// @param mode delivery mode
/// @param millis duration of a task
/// @param reportBatch results per report of a push worker
/// @param concurrency concurrent tasks of the workers
/// @param store database of the broker
/// @param offer what is published, and when
/// @param neighbours other applications besides the measured one
/// @param broker launch of the broker
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

  /// Delivery mode.
  enum Mode {
    PUSH,
    PULL
  }

  /// Database of the broker.
  enum Store {
    SQLITE,
    POSTGRES
  }

  /// Published load.
  ///
  /// @param length how long to publish; ignored with a backlog
  /// @param rate tasks per second, due at scheduled times; 0 for as many as the broker completes
  /// @param window with a rate of 0: maximum number of published, uncompleted tasks
  /// @param backlog tasks published before the broker starts, and none afterwards; 0 for none
  /// @param parameterBytes size of a task's parameters
  /// @param lingerMillis linger of the producer
  /// @param warmRate rate of the first half, in which the broker is compiled
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

    /// Maximum number of tasks.
    int capacity() {
      if (backlog > 0) {
        return backlog;
      }
      long rateOrMore = rate > 0 ? Math.max(rate, warmRate) : 60_000;
      return Math.toIntExact(rateOrMore * Math.max(1, length.toSeconds()) + window);
    }

    /// Scheduled publication time of a task, in nanoseconds since the first one.
    long dueAt(int number) {
      long half = length.toNanos() / 2;
      long warm = warmRate * length.toMillis() / 2_000;
      return number < warm
          ? number * SECOND_NANOS / warmRate
          : half + (number - warm) * SECOND_NANOS / rate;
    }
  }

  /// Disturbances beside the measured application: unhealthy applications in the same topic, and a
  /// session of the database.
  ///
  /// @param deadRate tasks per second for an application without workers
  /// @param slowRate tasks per second for an application whose only worker takes 10 s per task, 64
  ///   concurrently
  /// @param snapshot whether a session holds an old Postgres snapshot, so that deleted rows cannot
  ///   be vacuumed
  /// @param delayed tasks of the measured application, stored before the run and run after its end
  /// @param waiting tasks of the application without workers, stored before the run
  /// @param searches length of the periods of the steady state; an operator searches in every
  ///   second one. Zero for no operator
  /// @param pageLoads the same for an operator who has the web page open
  record Neighbours(
      int deadRate,
      int slowRate,
      boolean snapshot,
      int delayed,
      int waiting,
      Duration searches,
      Duration pageLoads) {
    static final Neighbours NONE = new Neighbours(0, 0, false, 0, 0, Duration.ZERO, Duration.ZERO);

    /// Whether an operator uses the admin API.
    boolean operated() {
      return !searches.isZero() || !pageLoads.isZero();
    }

    int rate() {
      return deadRate + slowRate;
    }

    /// Number of tasks stored before the run.
    int crowd() {
      return delayed + waiting;
    }
  }

  /// Launch of the broker.
  ///
  /// @param command split at spaces; `{config}` is the path of the configuration
  /// @param environment added to that of this process
  /// @param probed whether to measure the allocation of a Java broker, which costs it some memory
  /// @param rehearsal how long another broker is under load beforehand, so that only the measured
  ///   broker starts cold, and not Kafka and the load program
  record Launch(
      List<String> command, Map<String, String> environment, boolean probed, Duration rehearsal) {
    Launch {
      command = List.copyOf(command);
      environment = Map.copyOf(environment);
    }
  }
}
