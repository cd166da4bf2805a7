package io.taskbroker.schedule;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// How the thread of [Schedules] waits; replaceable by a simulation.
interface Waits {
  /// Blocks the thread.
  Waits BLOCKING =
      new Waits() {
        @Override
        public <T> BlockingQueue<T> queue(int capacity) {
          return new ArrayBlockingQueue<>(capacity);
        }

        @Override
        public <T> T get(CompletableFuture<T> answer, int seconds)
            throws InterruptedException, ExecutionException, TimeoutException {
          return answer.get(seconds, TimeUnit.SECONDS);
        }
      };

  /// A queue of bounded capacity, on which the thread waits by a timed `poll`.
  <T> BlockingQueue<T> queue(int capacity);

  /// Waits for an answer, as of [CompletableFuture#get(long, TimeUnit)].
  <T> T get(CompletableFuture<T> answer, int seconds)
      throws InterruptedException, ExecutionException, TimeoutException;
}
