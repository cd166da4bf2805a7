package io.taskbroker.deliver;

import io.netty.channel.EventLoopGroup;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/// Factory of connections to the workers of an application. Used by the event loop.
///
/// @param loops group of the event loop
/// @param loop runs tasks in the event loop
record Connector(
    WorkerAddress worker,
    PushOptions options,
    EventLoopGroup loops,
    Executor loop,
    RandomGenerator random) {

  /// Starts connecting.
  ///
  /// @param listener called in the loop when the connection becomes ready, and when it no longer is
  WorkerConnection open(Target target, long now, Consumer<WorkerConnection> listener) {
    long age = options.connections().age().toNanos();
    boolean trusted = target.hung == 0;
    if (!trusted) {
      target.hung--;
    }
    target.openedAt = now;
    return new WorkerConnection(
        worker,
        target,
        options,
        loops,
        loop,
        now + age / 10 + random.nextLong(age - age / 10 + 1),
        trusted,
        listener);
  }
}
