package io.taskbroker.benchmarks;

import io.taskbroker.activation.Change;
import io.taskbroker.inflight.TimersWorkload;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.ingest.DecoderWorkload;
import io.taskbroker.runtime.BatchFlusher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// JMH benchmarks of the classes on the path of each task, in nanoseconds per task.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow",
      "-XX:+UseSerialGC",
      "-Xmx1g"
    })
@SuppressWarnings("NullAway.Init") // JMH calls what is annotated with Setup
public class HotClasses {
  private static final int BATCH = 256;

  /// From the bytes of a record to an activation.
  @State(Scope.Thread)
  public static class Decode {
    private final DecoderWorkload workload = new DecoderWorkload();
  }

  @Benchmark
  public Command.IngestedRecord decode(Decode state) {
    return state.workload.decode();
  }

  /// The whole life of a task in the engine, beside other tasks.
  @State(Scope.Thread)
  public static class Engine {
    /// Number of other running tasks.
    @Param({"1000", "100000"})
    public int others;

    private final EngineWorkload workload = new EngineWorkload();
    private final List<Delivery> running = new ArrayList<>();

    @Setup
    public void fill() {
      var kept = new ArrayList<Delivery>();
      for (int i = 0; i < others; i += BATCH) {
        workload.arrive(workload.records(BATCH, 0), kept);
      }
      workload.pass(1_000);
    }
  }

  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void engine(Engine state) {
    state.workload.arrive(state.workload.records(BATCH, 0), state.running);
    state.workload.complete(state.running);
    state.workload.pass(10);
  }

  /// An insert and a delete in a batched transaction, beside other rows.
  @State(Scope.Thread)
  public static class Store {
    /// Number of other rows.
    @Param({"3000", "400000"})
    public int rows;

    private StoreWorkload workload;
    private Path dir;
    private List<Change> changes;

    @Setup
    public void open() throws IOException {
      dir = Files.createTempDirectory("taskbroker-jmh");
      workload = new StoreWorkload(dir.resolve("jmh.sqlite"), rows);
    }

    @Setup(Level.Invocation)
    public void prepare() {
      changes = workload.changes(BATCH);
    }

    @TearDown
    public void close() {
      workload.close();
      OutputOptions.delete(dir);
    }
  }

  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void store(Store state) {
    state.workload.commit(state.changes);
  }

  /// An item through the flusher, in batches.
  @State(Scope.Thread)
  public static class Flusher {
    private final Semaphore flushed = new Semaphore(0);
    private final List<Object> items = new ArrayList<>();
    private BatchFlusher<Object> flusher;

    @Setup
    public void start() {
      for (int i = 0; i < BATCH; i++) {
        items.add(i);
      }
      flusher =
          new BatchFlusher<>(
              new BatchFlusher.Options(
                  "jmh",
                  4_096,
                  1 << 20,
                  Duration.ZERO,
                  Duration.ofMillis(10),
                  Duration.ofSeconds(1),
                  Duration.ofSeconds(5)),
              batch -> flushed.release(batch.size()),
              (stage, failure) -> {
                throw new IllegalStateException(stage, failure);
              });
      flusher.start();
    }

    @TearDown
    public void close() {
      flusher.close();
    }
  }

  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void flusher(Flusher state) {
    var _ = state.flusher.offerAll(state.items);
    state.flushed.acquireUninterruptibly(BATCH);
  }

  /// The timers of a task, beside other timers.
  @State(Scope.Thread)
  public static class Timers {
    /// Number of other timers.
    @Param({"1000", "1000000"})
    public int others;

    private TimersWorkload workload;

    @Setup
    public void fill() {
      workload = new TimersWorkload(others);
    }
  }

  @Benchmark
  public void timers(Timers state) {
    state.workload.leaseDeadlineReport();
  }
}
