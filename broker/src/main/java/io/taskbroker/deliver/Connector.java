package io.taskbroker.deliver;

import io.netty.channel.EventLoopGroup;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/// How connections to the workers of an application are made. Used by the event loop.
///
/// @param loops has the event loop
/// @param loop runs tasks in it
record Connector(
    WorkerAddress worker,
    PushOptions options,
    EventLoopGroup loops,
    Executor loop,
    RandomGenerator random) {

  /// Begins to connect.
  ///
  /// @param told called in the loop when the connection is ready, and when it is not any more
  WorkerConnection open(Target target, long now, Consumer<WorkerConnection> told) {
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
        told);
  }
}
