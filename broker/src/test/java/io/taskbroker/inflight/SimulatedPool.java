package io.taskbroker.inflight;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;

/// Workers behind one address that answer when a task is done, in simulated milliseconds, and a
/// queue with an endless backlog that calls them as a window admits.
final class SimulatedPool {
  /// Slots of the workers, their behaviour when all slots are used, and the duration of a task.
  int slots;

  boolean refusesWhenFull;
  LongSupplier service;

  final CallWindow window;
  long now;
  int inFlight;

  /// Figures of the calls that ended in the current run.
  int done;

  int refused;
  final List<Long> latencies = new ArrayList<>();

  private final PriorityQueue<Call> running =
      new PriorityQueue<>((one, other) -> Long.compare(one.endsAt, other.endsAt));
  private final ArrayDeque<Call> waiting = new ArrayDeque<>();
  private long pausedUntil;

  private static final class Call {
    private final long sentAt;
    private long endsAt;

    Call(long sentAt) {
      this.sentAt = sentAt;
    }
  }

  SimulatedPool(CallWindow window, int slots, LongSupplier service) {
    this.window = window;
    this.slots = slots;
    this.service = service;
  }

  static LongSupplier always(long millis) {
    return () -> millis;
  }

  /// Exponentially distributed.
  static LongSupplier about(long millis, long seed) {
    var random = new SplittableRandom(seed);
    return () -> Math.max(1, Math.round(-millis * Math.log(1 - random.nextDouble())));
  }

  /// Advances the time by so many milliseconds, with fresh counters.
  void run(long millis) {
    done = 0;
    refused = 0;
    latencies.clear();
    long end = now + millis;
    send();
    while (!running.isEmpty() && running.peek().endsAt <= end) {
      now = running.peek().endsAt;
      while (!running.isEmpty() && running.peek().endsAt <= now) {
        Call call = running.poll();
        latencies.add(now - call.sentAt);
        done++;
        window.accepted(call.sentAt, now);
        inFlight--;
      }
      while (running.size() < slots && !waiting.isEmpty()) {
        begin(waiting.poll());
      }
      send();
    }
    now = end;
  }

  private void send() {
    while (now >= pausedUntil && window.admits(inFlight)) {
      var call = new Call(now);
      if (running.size() < slots) {
        inFlight++;
        begin(call);
      } else if (refusesWhenFull) {
        refused++;
        window.busy(now, now, inFlight);
        pausedUntil = inFlight == 0 ? now + 20 : now;
      } else {
        inFlight++;
        waiting.add(call);
      }
    }
  }

  private void begin(Call call) {
    call.endsAt = now + service.getAsLong();
    running.add(call);
  }

  double perSecond(long millis) {
    return done * 1_000.0 / millis;
  }

  long percentile(double part) {
    Collections.sort(latencies);
    return latencies.get((int) Math.min(latencies.size() - 1, latencies.size() * part));
  }
}
