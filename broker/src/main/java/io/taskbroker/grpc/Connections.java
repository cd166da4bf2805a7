package io.taskbroker.grpc;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.ServerTransportFilter;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.EventExecutor;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/// Registry of the server's open connections, keyed by the remote address that the gRPC library
/// reports, with their shared state. Thread-safe, except for [#peer].
final class Connections extends ServerTransportFilter {
  private final ConcurrentMap<SocketAddress, Connection> open = new ConcurrentHashMap<>();
  private final IdentityHashMap<EventLoop, RunningCalls> loops = new IdentityHashMap<>();
  private final Budgets budgets;
  private final Peers peers;
  private final ConnectionCounts counts;

  Connections(
      Iterable<? extends EventExecutor> loops, GrpcOptions.Limits limits, ConnectionCounts counts) {
    for (EventExecutor each : loops) {
      EventLoop loop = (EventLoop) each;
      this.loops.put(loop, new RunningCalls(loop, limits.patience()));
    }
    this.budgets = new Budgets(limits);
    this.peers = new Peers(budgets);
    this.counts = counts;
  }

  /// Peer of an address. Used by the accepting loop.
  Peer peer(InetSocketAddress address, long now) {
    return peers.of(address.getAddress(), now);
  }

  ConnectionCounts counts() {
    return counts;
  }

  /// Pending calls of each event loop.
  Iterable<RunningCalls> calls() {
    return loops.values();
  }

  /// Connections on which tasks were asked for, at most so many.
  List<PullWorker> pullWorkers(int limit) {
    long now = System.nanoTime();
    return open.entrySet().stream()
        .flatMap(
            entry -> entry.getValue().pullWorker((InetSocketAddress) entry.getKey(), now).stream())
        .limit(limit)
        .toList();
  }

  /// Registers an accepted connection. Used by its loop.
  Connection opened(Channel channel, Peer peer) {
    RunningCalls calls = loops.get(channel.eventLoop());
    if (calls == null) {
      throw new IllegalStateException("The connection is on an event loop of another server");
    }
    long maxUnread = budgets.answers().limit() / Connection.FRACTION;
    var connection = new Connection(calls, peer, maxUnread, counts);
    SocketAddress address = channel.remoteAddress();
    open.put(address, connection);
    channel.closeFuture().addListener(_ -> open.remove(address, connection));
    return connection;
  }

  /// Attaches the connection to its calls.
  @Override
  public Attributes transportReady(Attributes attributes) {
    SocketAddress address = attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    Connection connection = address == null ? null : open.get(address);
    if (connection == null) {
      throw new IllegalStateException("Unknown connection: " + address);
    }
    return attributes.toBuilder().set(Connection.KEY, connection).build();
  }
}
