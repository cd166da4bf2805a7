package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.PushResult;
import io.taskbroker.runtime.Deadlines;
import io.taskbroker.runtime.EventLoops;
import io.taskbroker.wire.Signatures;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// Event loop of push calls: owns the connections and pending calls. Other threads may use only
/// [#send], [#addresses], [#run] and [#stop]. Calls submitted while it works are written together.
final class PushLoop {
  private static final long GRACE_MILLIS = 2_000;
  private static final String STOPPING = "The broker stops";

  /// Maximum connections of all applications, except that each has at least one.
  private static final int MAX_CONNECTIONS = 512;

  private static final int MAX_PER_APPLICATION = 256;

  private final EventLoopGroup group = EventLoops.open("push", 1);

  /// One thread per application whose name is being resolved.
  private final ExecutorService lookups =
      Executors.newCachedThreadPool(new DefaultThreadFactory("push-lookup", true));

  private final EventLoop loop = group.next();
  private final Map<String, WorkerPool> pools = new HashMap<>();
  private final int maxMessageBytes;
  private final Signatures.Signer signer;
  private final CommandSink intake;
  private final PushCounts counts;
  private final Deadlines<PushCall> pending;
  private final CountDownLatch idle = new CountDownLatch(1);
  private boolean stopping;

  PushLoop(
      Map<String, WorkerAddress> addresses,
      PushOptions options,
      HostLookup lookup,
      CommandSink intake,
      PushCounts counts) {
    this.maxMessageBytes = options.maxMessageBytes();
    this.signer = new Signatures(options.secrets()).forPath(PushCall.PATH);
    this.intake = intake;
    this.counts = counts;
    String timedOut = "No answer within " + options.timeout().toMillis() + " ms";
    this.pending = new Deadlines<>(loop, options.timeout(), call -> call.abandon(timedOut));
    int maxPerPool =
        Math.clamp(MAX_CONNECTIONS / Math.max(1, addresses.size()), 1, MAX_PER_APPLICATION);
    var random = new SplittableRandom();
    addresses.forEach((application, address) ->
        pools.put(
            application,
            new WorkerPool(
                application,
                new Connector(address, options, group, this::run, random),
                maxPerPool,
                lookup,
                lookups,
                this,
                counts)));
    run(() -> pools.values().forEach(WorkerPool::connect));
  }

  /// Starts a call.
  void send(Delivery delivery) {
    WorkerPool pool = pools.get(delivery.application());
    if (pool == null) {
      report(
          delivery,
          PushOutcome.UNREACHABLE,
          "No worker is configured for application '" + delivery.application() + "'");
    } else if (!run(new PushCall(this, pool, delivery))) {
      report(delivery, PushOutcome.UNREACHABLE, STOPPING);
    }
  }

  /// Addresses of the workers of all applications, at most so many; never completes if the loop has
  /// ended.
  CompletableFuture<List<PushAddress>> addresses(int limit) {
    var answer = new CompletableFuture<List<PushAddress>>();
    run(() -> {
      var all = new ArrayList<PushAddress>();
      pools.values().forEach(pool -> all.addAll(pool.addresses(limit - all.size())));
      answer.complete(List.copyOf(all));
    });
    return answer;
  }

  /// Log text on how calls are signed, without the secrets.
  String signingDetail() {
    return signer.signs()
        ? " (calls are signed by key 1 of the " + signer.keys() + " keys of grpc_shared_secret)"
        : " (calls are not signed: grpc_shared_secret is not set)";
  }

  /// Runs a task in the loop.
  ///
  /// @return false if the loop has ended
  boolean run(Runnable task) {
    try {
      loop.execute(task);
      return true;
    } catch (RejectedExecutionException _) {
      return false;
    }
  }

  /// Runs a task in the loop after a delay, unless the loop ends earlier.
  void after(long nanos, Runnable task) {
    var _ = loop.schedule(task, nanos, NANOSECONDS);
  }

  boolean isCurrentThread() {
    return loop.inEventLoop();
  }

  /// Lets pending calls end for a while, then abandons them.
  void stop() {
    boolean interrupted = false;
    run(this::stopAccepting);
    try {
      idle.await(GRACE_MILLIS, MILLISECONDS);
    } catch (InterruptedException _) {
      interrupted = true;
    }
    run(this::abandonAll);
    lookups.shutdownNow();
    group.shutdownGracefully(0, GRACE_MILLIS, MILLISECONDS).awaitUninterruptibly(GRACE_MILLIS);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void stopAccepting() {
    stopping = true;
    if (pending.oldest() == null) {
      idle.countDown();
    }
  }

  private void abandonAll() {
    for (PushCall call = pending.oldest(); call != null; call = pending.oldest()) {
      call.abandon(STOPPING);
    }
    pools.values().forEach(WorkerPool::close);
  }

  /// Reason why nothing is sent any more; null while calls are accepted.
  @Nullable String closed() {
    return stopping ? STOPPING : null;
  }

  /// Reason why a message of that size is not sent; null if it is.
  @Nullable String tooLarge(int bytes) {
    return bytes > maxMessageBytes
        ? "The message of %d bytes is larger than the limit of %d".formatted(bytes, maxMessageBytes)
        : null;
  }

  /// Signature of a message; null without secrets.
  @Nullable String sign(PushMessage message) {
    return signer.signs() ? signer.sign(message.parts()) : null;
  }

  void began(PushCall call) {
    counts.began(call.begin());
    pending.begin(call.deadline);
  }

  /// Counts a call that was proven undelivered and sent again.
  void retried(PushCall call, PushOutcome outcome) {
    counts.retried(call.delivery().application(), outcome);
  }

  void ended(PushCall call, PushResult result) {
    pending.end(call.deadline);
    counts.ended(call.delivery().application(), result.outcome(), call.nanos());
    intake.submit(new Command.PushEnded(call.delivery(), result));
    if (stopping && pending.oldest() == null) {
      idle.countDown();
    }
  }

  void report(Delivery delivery, PushOutcome outcome, String detail) {
    intake.submit(new Command.PushEnded(delivery, outcome, detail));
  }
}
