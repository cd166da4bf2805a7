package io.taskbroker.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.LoggerFactory;

/// Program behind `build/simulate`: runs seeds on all cores, for a count or a duration, and prints
/// each seed that breaks a guarantee with the command that replays it. Exit code 1 if any does.
final class LongRun {
  private static final long REPORT_NANOS = Duration.ofMinutes(1).toNanos();

  private final long from;
  private final long seeds;
  private final long until;
  private final long started = System.nanoTime();
  private final AtomicLong next;
  private final Map<String, Long> counts = new TreeMap<>();
  private long done;
  private long events;
  private long failures;
  private long reportAt = started + REPORT_NANOS;

  /// @param seeds number of seeds; [Long#MAX_VALUE] for no bound
  /// @param until when to stop starting seeds, by [System#nanoTime]
  private LongRun(long from, long seeds, long until) {
    this.from = from;
    this.seeds = seeds;
    this.until = until;
    this.next = new AtomicLong(from);
  }

  public static void main(String[] args) throws InterruptedException {
    ((Logger) LoggerFactory.getLogger("io.taskbroker")).setLevel(Level.OFF);
    if (args.length == 2 && args[0].equals("replay")) {
      System.exit(replay(Long.parseLong(args[1])) ? 0 : 1);
    }
    if (args.length > 2) {
      System.err.println("Usage: build/simulate [SEEDS|DURATION] [FROM] | replay SEED");
      System.exit(2);
    }
    String extent = args.length > 0 ? args[0] : "10m";
    long from = args.length > 1 ? Long.parseLong(args[1]) : FreshSeeds.ofNow();
    boolean timed = extent.matches("\\d+[smh]");
    long seeds = timed ? Long.MAX_VALUE : Long.parseLong(extent);
    long nanos =
        timed ? Duration.parse("PT" + extent).toNanos() : Duration.ofDays(10_000).toNanos();
    System.exit(new LongRun(from, seeds, System.nanoTime() + nanos).run() ? 0 : 1);
  }

  /// Prints all events of one history.
  private static boolean replay(long seed) {
    var simulation = new Simulation(seed, true, Tampering.NONE);
    String finding = simulation.find();
    simulation.world.trace.forEach(System.out::println);
    System.out.println(
        finding.isEmpty()
            ? "Seed " + seed + " breaks nothing"
            : "Seed %d: %s%n%s"
                .formatted(seed, finding, simulation.ledger.leftOver(simulation.kafka)));
    return finding.isEmpty();
  }

  /// Command that prints the history of a seed.
  static String replayCommand(long seed) {
    return "build/simulate replay " + seed;
  }

  private boolean run() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
      threads.add(
          Thread.ofPlatform()
              .name("seeds-" + i)
              .uncaughtExceptionHandler(this::ended)
              .start(this::take));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    counts.forEach((what, count) -> System.out.printf("%,16d %s%n", count, what));
    report();
    return failures == 0;
  }

  private void take() {
    while (System.nanoTime() - until < 0) {
      long seed = next.getAndIncrement();
      if (seed - from >= seeds) {
        return;
      }
      var simulation = new Simulation(seed, false, Tampering.NONE);
      add(seed, simulation.find(), simulation.world);
    }
  }

  /// A thread ended before its seeds were run: the run shows nothing.
  private synchronized void ended(Thread thread, Throwable failure) {
    failures++;
    System.out.println(thread.getName() + " ended:");
    failure.printStackTrace(System.out);
  }

  private synchronized void add(long seed, String finding, SimulatedWorld world) {
    done++;
    events += world.eventCount();
    world.counts().forEach((what, count) -> counts.merge(what, count, Long::sum));
    if (!finding.isEmpty()) {
      failures++;
      System.out.printf("seed %d: %s%n  %s%n", seed, finding, replayCommand(seed));
    }
    if (System.nanoTime() - reportAt >= 0) {
      reportAt += REPORT_NANOS;
      report();
    }
  }

  private void report() {
    double seconds = (System.nanoTime() - started) / 1e9;
    System.out.printf(
        "%,d seeds from %d in %.0f s: %.0f seeds and %,.0f events a second; %d broke a guarantee%n",
        done, from, seconds, done / seconds, events / seconds, failures);
  }
}
