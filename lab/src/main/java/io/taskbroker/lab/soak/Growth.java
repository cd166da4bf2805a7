package io.taskbroker.lab.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/// Growth of the last process: minimum of the second third of its lifetime against that of the last
/// third, which bursts and faults do not affect. The first third is warm-up.
///
/// @param warm whether the process had minutes to warm up
/// @param heaps of the last process, in order of time
/// @param samples of the last process, in order of time
record Growth(boolean warm, List<Heap> heaps, List<Sample> samples) {
  /// Minimum of the second and of the last third, and the allowed increase.
  record Change(String what, long before, long after, long allowed) {
    boolean isFlat() {
      return after - before <= allowed;
    }
  }

  /// Tombstones of retries and at-most-once tasks live for ten minutes.
  private static final long HEAP_BYTES = 16 << 20;

  /// Compiled code, buffers, allocator arenas.
  private static final long RESIDENT_BYTES = 32 << 20;

  /// The same for a process that is not warmed up.
  private static final long RESIDENT_BYTES_AT_FIRST = 112 << 20;

  private static final long THREADS = 4;
  private static final long FILES = 24;
  private static final int LEAST = 3;

  Growth {
    heaps = List.copyOf(heaps);
    samples = List.copyOf(samples);
  }

  /// Whether there are enough samples.
  boolean isMeasured() {
    return heaps.size() >= LEAST && samples.size() >= LEAST;
  }

  List<Change> changes() {
    var changes = new ArrayList<Change>();
    long resident = warm ? RESIDENT_BYTES : RESIDENT_BYTES_AT_FIRST;
    changes.add(change("heap after a collection, bytes", heaps, Heap::bytes, HEAP_BYTES));
    changes.add(change("resident memory, bytes", samples, Sample::residentBytes, resident));
    changes.add(change("threads", samples, Sample::threads, THREADS));
    changes.add(change("open files", samples, Sample::files, FILES));
    return changes;
  }

  private static <T> Change change(
      String what, List<T> series, ToLongFunction<T> value, long allowed) {
    int third = Math.max(1, series.size() / 3);
    int end = series.size();
    long before = least(series.subList(end - 2 * third, end - third), value);
    long after = least(series.subList(end - third, end), value);
    return new Change(what, before, after, allowed);
  }

  private static <T> long least(List<T> part, ToLongFunction<T> value) {
    return part.stream().mapToLong(value).min().orElseThrow();
  }
}
