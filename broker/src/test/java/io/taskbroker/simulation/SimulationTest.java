package io.taskbroker.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Thousands of histories of whole brokers, each determined by its seed, with every guarantee
/// checked in each.
///
/// `-Dsimulation.seeds=N` runs N seeds, `-Dsimulation.from=SEED` starts elsewhere,
/// `-Dsimulation.fresh=N` runs N new ones, and `-Dsimulation.seed=SEED` replays one and prints its
/// events. `build/simulate` runs seeds for a night.
@ExtendWith(SilentLogs.class)
final class SimulationTest {
  private static final int SEEDS = Integer.getInteger("simulation.seeds", 2_000);
  private static final int FRESH = Integer.getInteger("simulation.fresh", 2_000);
  private static final int LINES = Integer.getInteger("simulation.lines", 10_000);

  /// Events that must occur in this many histories; otherwise the simulation covers too little.
  private static final List<String> HAPPENS =
      List.of(
          "rule changes",
          "clock steps",
          "crashes",
          "records refused by Kafka",
          "ended COMPLETED",
          "ended DEAD_LETTERED",
          "ended DEMOTED",
          "ended DISCARDED",
          "ended EXPIRED",
          "ended RETRIED",
          "ended SWITCHED_OFF",
          "freezes",
          "redeliveries",
          "at-most-once deliveries",
          "notice DEADLINE_PASSED",
          "notice DEMOTED_IN_FLIGHT",
          "notice DUPLICATE",
          "notice KILLED_BY_NAME",
          "notice LEASE_PASSED",
          "notice QUARANTINED",
          "notice STALE_REPORT",
          "notice UNDECODABLE",
          "offsets set back",
          "offsets advanced",
          "partitions added",
          "partitions lost",
          "partitions revoked",
          "records in raw",
          "records due again",
          "rows parked",
          "graceful stops",
          "topics recreated",
          "late commits");

  private static final List<String> HAPPENS_ON_STREAMS =
      List.of(
          "attempts kept over a restart",
          "attempts that came back",
          "cancellations answered ENDED",
          "cancellations answered RUNNING",
          "cancellations sent",
          "ended CANCELLED",
          "enqueues answered ACCEPTED",
          "enqueues answered ALREADY_EXISTS",
          "enqueues answered EXPIRED",
          "enqueues answered FULL",
          "enqueues answered SWITCHED_OFF",
          "enqueues cut off",
          "notice WORKER_LOST",
          "requests repeated after their answers",
          "results answered ACCEPTED",
          "results answered STALE",
          "results answered UNKNOWN",
          "retries in the store",
          "silent workers",
          "superseded attempts named",
          "tasks released",
          "workers stopped in order");

  private static final List<String> HAPPENS_WITH_SCHEDULES =
      List.of(
          "answers to Delete",
          "answers to RunNow",
          "enqueues answered SUPERSEDED",
          "schedules created",
          "schedules deleted",
          "schedules paused",
          "schedules replaced",
          "schedules resumed",
          "slots fired",
          "slots given up as SWITCHED_OFF",
          "slots skipped",
          "slots superseded");

  private static final long FROM = Long.getLong("simulation.from", 1);

  @Test
  @Timeout(value = 1, unit = TimeUnit.DAYS)
  void everyGuaranteeHoldsInEveryHistory() {
    Long one = Long.getLong("simulation.seed");
    if (one != null) {
      run(one, true).world.trace.forEach(System.out::println);
      return;
    }
    Map<String, Long> counts = run("seeds", FROM, SEEDS);
    counts.forEach((what, count) -> System.out.printf("%,14d %s%n", count, what));
    if (SEEDS >= 1_000) {
      assertThat(counts).containsKeys(HAPPENS.toArray(String[]::new));
    }
  }

  /// Each commit tries other seeds.
  @Test
  @Timeout(value = 1, unit = TimeUnit.DAYS)
  void everyGuaranteeHoldsInNewHistories() {
    if (Long.getLong("simulation.seed") == null) {
      FreshSeeds fresh = FreshSeeds.ofBuild();
      System.out.println("New seeds follow from " + fresh.source());
      Map<String, Long> counts = run("new seeds", fresh.from(), FRESH);
      if (FRESH >= 1_000) {
        assertThat(counts)
            .containsKeys(
                "changes fenced",
                "logs found cut",
                "partitions taken",
                "remote reports received",
                "snapshots noticed",
                "stores lost",
                "volumes restored");
      }
    }
  }

  /// Clients that enqueue directly, and workers that open streams.
  @Test
  @Timeout(value = 1, unit = TimeUnit.DAYS)
  void everyGuaranteeHoldsInNewHistoriesWithStreams() {
    if (Long.getLong("simulation.seed") == null) {
      long from = FreshSeeds.ofBuild().from() + FreshSeeds.DIRECT;
      Map<String, Long> counts = run("new seeds with streams", from, FRESH / 5);
      if (FRESH >= 1_000) {
        assertThat(counts).containsKeys(HAPPENS_ON_STREAMS.toArray(String[]::new));
      }
    }
  }

  /// Brokers that keep schedules.
  @Test
  @Timeout(value = 1, unit = TimeUnit.DAYS)
  void everyGuaranteeHoldsInNewHistoriesWithSchedules() {
    if (Long.getLong("simulation.seed") == null) {
      long from = FreshSeeds.ofBuild().from() + FreshSeeds.SCHEDULED;
      Map<String, Long> counts = run("new seeds with schedules", from, FRESH / 10);
      if (FRESH >= 1_000) {
        assertThat(counts).containsKeys(HAPPENS_WITH_SCHEDULES.toArray(String[]::new));
      }
    }
  }

  /// Seeds that long runs found, with the side that was wrong: the broker (B) or the ledger (L).
  @ParameterizedTest
  @ValueSource(
      longs = {
        20008315, // B: with a full disk, changes waiting for space blocked reports
        20053895, // B: the same
        20278662, // B: a report of a delayed task was dropped after its clock was set back
        20318525, // B: an insert waiting for space blocked all parked tasks
        20325949, // L: proven deaths of workers are attempts
        20370845, // L: the same
        30796560400461L, // B: rows were loaded without their reports, as the store failed in
        // between
        1000000001112L, // B: a store was lost whose first commit had failed
        1000000002271L, // L: rows found in a partition that others owned since
        1000000002838L, // B: a partition acquired but not started was not released
        1000000003022L, // L: a report about a task lost with its store
        1000000012939L, // L: the same id in two partitions of two brokers
        5000734, // L: a late transaction about a topic that was recreated since
        1000000001446L, // B: a parked row was confirmed by new records at its lost record's offset
        1000000002319L, // B: a position was read with the leader epoch of an earlier record
        1000000004770L, // L: a partition taken twice by the broker that has it
        1000000006297L, // L: a commit across a cut confirms what the log still has
        1000000009232L, // L: a report about a task lost with its store that no worker was sent
        1000500001505L, // B: the record of a watermark stayed the lost one
        1000600000077L, // L: a watermark below a cut
        1000001500109L, // L: a look-up of offsets overtook a commit of the same consumer
        272453695100435L, // B: a failover was forgotten when a partition was released
        300000000006856L, // B: a record became durable after its partition was lost, and was lost
        400000000028485L, // B: an at-most-once task waited for a record that an earlier cut took
        400000000054790L, // L: a commit without answer before a partition was taken again
        400000000063466L, // B: another's commit of a truncation point counted as an operator's
        400000000081940L, // L: a broker knows how far what it took had been consumed
        500000000106349L, // L: a report of one of two rows of an id
        400000000092547L, // L: a broker that commits nothing does not notice a failover
        362162161603224L, // L: a deadline of another row of the same id
        362162161604162L, // B: rows loaded before a failover stayed when the partition was taken
        // again
        362162161615416L, // L: a commit of lost records confirms what the log still has
        555555500006550L, // L: a deadline of another row of the same id
        700000000004603L, // L: a report whose effect a failover undid
        700000000013999L, // L: a broker without a commit does not notice a failover
        700000000015938L, // B: an at-most-once task below a cut counted as run by others
        1272453695100174L, // B: a result was refused before the retry that overruled it was durable
        1239615172100015L, // L: a deadline that counts from a heartbeat after the start
        1700000000001199L, // L: a deadline of a delivery after the start
        1810000000001264L, // L: a task that ended before its insert was durable
        1810000000002413L, // L: two copies of a result before the first is handled
        1400000000006511L, // L: an id remembered from a millisecond that had begun
        1400000000036135L, // L: a report that arrived before its row was durable
        1830000000002806L, // L: a deadline that passed before its worker was given up
        1840000000002146L, // L: failures of two attempts before a restart
        1850000000003308L, // B: others of before the loss of a stream proved a death
        1850000000006290L, // L: a result about one of two rows of an id
        1860000000006549L, // L: a deadline on disk, and a clock that was set since
        1880000000009931L, // L: a heartbeat of an earlier delivery after the start
        1880000000009933L, // L: a call that was answered after its partition was released
        1897000000000762L, // B: a report of a failed attempt was kept for the next one
        1898000000006322L, // L: a late answer to the call of the attempt before
        1898000000009998L, // B: a retry deleted the report of a completion
        10000000000000006L, // B: a slot fired again when its schedule went on after a clock was set
        // back
        10400000000020826L, // B: a report after an inherited deadline was dropped
        10300000000006175L, // L: a run by an operator that was repeated before the first was
        // durable
        10000000000000322L, // B: a report reached a broker that was second to fire the slot
        10400000000000428L, // L: a task that was switched off, and a store that stalls
        10400000000038508L, // B: the id of a task that was never stored was remembered
        10400000000090900L, // L: a broker reads the reports that it missed at its start
        10428359532000223L, // B: a failed release of one partition kept others from being released
        10620000000013313L, // L: tasks of other brokers prove nothing about a worker of this one
        555555500009212L, // B: what others ran below a cut counted as not run if a commit failed
      })
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void whatLongRunsFoundHolds(long seed) {
    assertThat(run(seed, false).world.eventCount()).isPositive();
  }

  private static Map<String, Long> run(String what, long from, int seeds) {
    long started = System.nanoTime();
    long events = 0;
    Map<String, Long> counts = new TreeMap<>();
    for (long seed = from; seed < from + seeds; seed++) {
      SimulatedWorld world = run(seed, false).world;
      events += world.eventCount();
      world.counts().forEach((each, count) -> counts.merge(each, count, Long::sum));
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    System.out.printf(
        "%d %s from %d: %.0f seeds and %.0f events a second%n",
        seeds, what, from, seeds / seconds, events / seconds);
    return counts;
  }

  /// The same in another process, with other hash codes and set orders, so that a failing seed
  /// fails everywhere.
  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void sameSeedIsTheSameHistory() throws IOException {
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Fingerprints.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String there = new String(other.getInputStream().readAllBytes(), UTF_8).strip();
    assertThat(there).isEqualTo(Long.toString(Fingerprints.ofSeeds()));
  }

  private static Simulation run(long seed, boolean traces) {
    var simulation = new Simulation(seed, traces, Tampering.NONE);
    try {
      simulation.run();
    } catch (Throwable e) {
      if (!traces) {
        return run(seed, true);
      }
      List<String> trace = simulation.world.trace;
      trace.subList(Math.max(0, trace.size() - LINES), trace.size()).forEach(System.out::println);
      throw new AssertionError(
          "Seed "
              + seed
              + " breaks "
              + e.getMessage()
              + "\nReplay with: "
              + LongRun.replayCommand(seed),
          e);
    }
    return simulation;
  }
}
