package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Flush function that exposes its batches to a test, which decides the outcome of each.
final class Flushes implements FlushFunction<Integer> {
  private final BlockingQueue<List<Integer>> begun = new LinkedBlockingQueue<>();
  private final BlockingQueue<Optional<Throwable>> ends = new LinkedBlockingQueue<>();
  final AtomicInteger idles = new AtomicInteger();
  volatile long idlePause = Long.MAX_VALUE;

  /// Fatal failure of a flush.
  static final class Fatal extends Exception {
    private static final long serialVersionUID = 1;
  }

  @Override
  public void flush(List<Integer> batch) throws Exception {
    begun.add(List.copyOf(batch));
    switch (ends.take().orElse(null)) {
      case null -> {}
      case Exception e -> throw e;
      case Throwable e -> throw (Error) e;
    }
  }

  @Override
  public boolean isFatal(Exception failure) {
    return failure instanceof Fatal;
  }

  @Override
  public boolean isUrgent(Integer item) {
    return item < 0;
  }

  @Override
  public long idle() {
    idles.incrementAndGet();
    return idlePause;
  }

  /// Batch of the next flush, which then waits for its outcome.
  List<Integer> begun() throws InterruptedException {
    List<Integer> batch = begun.poll(60, TimeUnit.SECONDS);
    assertThat(batch).as("a flush").isNotNull();
    return batch;
  }

  void succeed() {
    ends.add(Optional.empty());
  }

  void fail(Throwable cause) {
    ends.add(Optional.of(cause));
  }

  void assertNoneBegun() {
    assertThat(begun).isEmpty();
  }
}
