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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/// Open connections of the server, found by the address that the gRPC library tells of a
/// connection, and what all of them share. Thread-safe, but for [#peer].
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

  /// The peer of an address. Used by the loop that accepts connections.
  Peer peer(InetSocketAddress address, long now) {
    return peers.of(address.getAddress(), now);
  }

  ConnectionCounts counts() {
    return counts;
  }

  /// The calls of each loop.
  Iterable<RunningCalls> calls() {
    return loops.values();
  }

  /// A connection was accepted. Used by its loop.
  Connection opened(Channel channel, Peer peer) {
    RunningCalls calls = loops.get(channel.eventLoop());
    if (calls == null) {
      throw new IllegalStateException("A connection on a loop of another server");
    }
    long maxUnread = budgets.answers().limit() / Connection.PART;
    var connection = new Connection(calls, peer, maxUnread, counts);
    SocketAddress address = channel.remoteAddress();
    open.put(address, connection);
    channel.closeFuture().addListener(_ -> open.remove(address, connection));
    return connection;
  }

  /// Lets the calls of a connection find it.
  @Override
  public Attributes transportReady(Attributes attributes) {
    SocketAddress address = attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    Connection connection = address == null ? null : open.get(address);
    if (connection == null) {
      throw new IllegalStateException("A connection that was not accepted: " + address);
    }
    return attributes.toBuilder().set(Connection.KEY, connection).build();
  }
}
