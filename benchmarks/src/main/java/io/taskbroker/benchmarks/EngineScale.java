package io.taskbroker.benchmarks;

import io.taskbroker.inflight.api.Delivery;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `engine-scale`: cost of a task in the engine, by the number of other tasks in flight or delayed.
@Command(
    name = "engine-scale",
    mixinStandardHelpOptions = true,
    description = "Cost of a task in the engine beside 1,000 to 1,000,000 others.")
final class EngineScale implements Callable<Integer> {
  private static final int ROUND = 256;
  private static final long FAR = 3_600_000;

  @Mixin private OutputOptions output;
  @Spec private CommandSpec spec;

  @Option(names = "--name", defaultValue = "engine-scale", description = "Name of the result.")
  private String name;

  @Option(
      names = "--sizes",
      split = ",",
      defaultValue = "1000,10000,100000,1000000",
      description = "Numbers of other tasks.")
  private List<Integer> sizes;

  @Option(names = "--rounds", defaultValue = "4000", description = "Rounds of 256 tasks.")
  private int rounds;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    measure(sizes.getFirst(), false);
    var points = new ArrayList<Map<String, Object>>();
    for (boolean delayed : new boolean[] {false, true}) {
      for (int size : sizes) {
        Map<String, Object> point = measure(size, delayed);
        out.println(point);
        points.add(point);
      }
    }
    new Results(output.results).write(name, Map.of("rounds", rounds), Map.of("points", points));
    return 0;
  }

  private Map<String, Object> measure(int size, boolean delayed) {
    long heapBefore = usedHeap();
    var workload = new EngineWorkload();
    var others = new ArrayList<Delivery>();
    for (int i = 0; i < size; i += ROUND) {
      workload.arrive(workload.records(Math.min(ROUND, size - i), delayed ? FAR : 0), others);
    }
    workload.pass(1_000);
    long heap = usedHeap() - heapBefore;
    var running = new ArrayList<Delivery>(ROUND);
    run(workload, running, rounds / 4);
    long bytes = ThreadUsage.bytes();
    long nanos = run(workload, running, rounds);
    bytes = ThreadUsage.bytes() - bytes;
    long tasks = (long) rounds * ROUND;
    var point = new LinkedHashMap<String, Object>();
    point.put("others", size);
    point.put("delayed", delayed);
    point.put("ns_per_task", Summary.round((double) nanos / tasks));
    point.put("allocated_bytes_per_task", Summary.round((double) bytes / tasks));
    point.put("heap_bytes_per_other", Math.max(0, heap) / size);
    return point;
  }

  /// CPU nanoseconds spent in the engine.
  private static long run(EngineWorkload workload, List<Delivery> running, int rounds) {
    long nanos = 0;
    for (int i = 0; i < rounds; i++) {
      var records = workload.records(ROUND, 0);
      long begin = ThreadUsage.nanos();
      workload.arrive(records, running);
      workload.complete(running);
      nanos += ThreadUsage.nanos() - begin;
      workload.pass(10);
    }
    return nanos;
  }

  private static long usedHeap() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
