package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.PushOutcome;
import io.taskbroker.runtime.Deadlines;
import io.taskbroker.wire.Signatures;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// The thread that pushes. It owns the connections and the calls that are under way: only [#send],
/// [#run] and [#stop] may be used by other threads. What comes to it while it works it writes
/// together.
final class PushLoop {
  private static final long GRACE_MILLIS = 2_000;
  private static final String STOPPING = "The broker stops";

  /// Connections of all applications that calls may be sent on, but for one of each.
  private static final int MAX_CONNECTIONS = 512;

  private static final int MAX_PER_APPLICATION = 256;

  private final EventLoopGroup group = open();

  /// One thread for each application whose name is being looked up.
  private final ExecutorService lookups =
      Executors.newCachedThreadPool(new DefaultThreadFactory("push-lookup", true));

  private final EventLoop loop = group.next();
  private final Map<String, WorkerPool> pools = new HashMap<>();
  private final int maxMessageBytes;
  private final Signatures.Signer signer;
  private final CommandSink intake;
  private final PushCounts counts;
  private final Deadlines<PushCall> outstanding;
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
    String late = "No answer within " + options.timeout().toMillis() + " ms";
    this.outstanding = new Deadlines<>(loop, options.timeout(), call -> call.abandon(late));
    int most = Math.clamp(MAX_CONNECTIONS / Math.max(1, addresses.size()), 1, MAX_PER_APPLICATION);
    var random = new SplittableRandom();
    addresses.forEach((application, address) ->
        pools.put(
            application,
            new WorkerPool(
                application,
                new Connector(address, options, group, this::run, random),
                most,
                lookup,
                lookups,
                this,
                counts)));
    run(() -> pools.values().forEach(WorkerPool::connect));
  }

  /// Begins a call.
  void send(Delivery delivery) {
    WorkerPool pool = pools.get(delivery.application());
    if (pool == null) {
      tell(
          delivery,
          PushOutcome.UNREACHABLE,
          "No worker is known of application '" + delivery.application() + "'");
    } else if (!run(new PushCall(this, pool, delivery))) {
      tell(delivery, PushOutcome.UNREACHABLE, STOPPING);
    }
  }

  /// How calls are signed, for people; the secrets are not said.
  String howSigned() {
    return signer.signs()
        ? " (calls are signed by key 1 of the " + signer.keys() + " keys of grpc_shared_secret)"
        : " (calls are not signed: there is no grpc_shared_secret)";
  }

  /// Runs it in the loop.
  ///
  /// @return false if there is no loop any more
  boolean run(Runnable task) {
    try {
      loop.execute(task);
      return true;
    } catch (RejectedExecutionException _) {
      return false;
    }
  }

  /// Runs it in the loop, after some nanoseconds; not if the loop ends before.
  void after(long nanos, Runnable task) {
    var _ = loop.schedule(task, nanos, NANOSECONDS);
  }

  boolean isCurrentThread() {
    return loop.inEventLoop();
  }

  /// Lets calls that are under way end for a while, then gives them up.
  void stop() {
    boolean interrupted = false;
    run(this::beginToStop);
    try {
      idle.await(GRACE_MILLIS, MILLISECONDS);
    } catch (InterruptedException _) {
      interrupted = true;
    }
    run(this::endAll);
    lookups.shutdownNow();
    group.shutdownGracefully(0, GRACE_MILLIS, MILLISECONDS).awaitUninterruptibly(GRACE_MILLIS);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void beginToStop() {
    stopping = true;
    if (outstanding.oldest() == null) {
      idle.countDown();
    }
  }

  private void endAll() {
    for (PushCall call = outstanding.oldest(); call != null; call = outstanding.oldest()) {
      call.abandon(STOPPING);
    }
    pools.values().forEach(WorkerPool::close);
  }

  /// Why nothing is sent any more; null if it is.
  @Nullable String closed() {
    return stopping ? STOPPING : null;
  }

  /// Why a message of that size is not sent; null if it is.
  @Nullable String tooLarge(int bytes) {
    return bytes > maxMessageBytes
        ? "The message of %d bytes is larger than the limit of %d".formatted(bytes, maxMessageBytes)
        : null;
  }

  /// The signature of a message; null if none is wanted.
  @Nullable String sign(PushMessage message) {
    return signer.signs() ? signer.sign(message.parts()) : null;
  }

  void began(PushCall call) {
    counts.began(call.begin());
    outstanding.begin(call.deadline);
  }

  /// A call that is proven to be nowhere was sent once more.
  void triedAgain(PushCall call, PushOutcome outcome) {
    counts.triedAgain(call.delivery().application(), outcome);
  }

  /// @param others whether there are connections to other workers of the application
  void ended(PushCall call, PushOutcome outcome, String detail, boolean others) {
    outstanding.end(call.deadline);
    counts.ended(call.delivery().application(), outcome, call.nanos());
    intake.submit(new Command.PushEnded(call.delivery(), outcome, detail, others));
    if (stopping && outstanding.oldest() == null) {
      idle.countDown();
    }
  }

  void tell(Delivery delivery, PushOutcome outcome, String detail) {
    intake.submit(new Command.PushEnded(delivery, outcome, detail));
  }

  private static EventLoopGroup open() {
    IoHandlerFactory io =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    return new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("push", true), io);
  }
}
