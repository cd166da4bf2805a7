package io.taskbroker.client.grpc;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;

/// Connections of a client to its brokers, and its timer. Callbacks run on virtual threads.
/// Thread-safe.
public final class BrokerConnections {
  private final ConnectionOptions options;
  private final ScheduledThreadPoolExecutor timer;
  private final List<BrokerConnection> brokers = new ArrayList<>();

  private BrokerConnections(ConnectionOptions options) {
    this.options = options;
    timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("taskbroker-timer").factory());
    timer.setRemoveOnCancelPolicy(true);
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    timer.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
  }

  /// Connections to all targets; none is made before it is used.
  public static BrokerConnections open(ConnectionOptions options) {
    BrokerConnections all = new BrokerConnections(options);
    ThreadFactory threads = Thread.ofVirtual().name("taskbroker-", 0).factory();
    Executor callbacks = callback -> threads.newThread(callback).start();
    for (String target : options.targets()) {
      all.brokers.add(new BrokerConnection(target, options, callbacks));
    }
    return all;
  }

  public ConnectionOptions options() {
    return options;
  }

  public List<BrokerConnection> brokers() {
    return List.copyOf(brokers);
  }

  /// Its tasks must not block.
  public ScheduledThreadPoolExecutor timer() {
    return timer;
  }

  void close() {
    timer.shutdownNow();
    brokers.forEach(BrokerConnection::close);
  }
}
