package io.taskbroker.telemetry;

import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// Open connections of an HTTP server by peer address, bounded in total and per peer (G7). At a
/// bound the newest connection is accepted and the oldest is closed, so that a peer with many slow
/// connections cannot keep probes out, even probes from its own address. Confined to one event
/// loop.
final class HttpConnections {
  private final int limit;
  private final int perPeer;
  private final Map<InetAddress, Queue<Channel>> open = new HashMap<>();
  private int count;

  HttpConnections(int limit, int perPeer) {
    this.limit = limit;
    this.perPeer = perPeer;
  }

  /// Adds a connection, and at a bound closes the oldest one.
  void opened(Channel connection) {
    if (!(connection.remoteAddress() instanceof InetSocketAddress peer)) {
      var _ = connection.close(); // closed before it was accepted
      return;
    }
    InetAddress address = peer.getAddress();
    @Nullable Queue<Channel> own = open.get(address);
    if (own != null && own.size() >= perPeer) {
      closeOldest(own);
    } else if (count >= limit) {
      open.values().stream().max(Comparator.comparingInt(Queue::size)).ifPresent(this::closeOldest);
    }
    open.computeIfAbsent(address, _ -> new ArrayDeque<>()).add(connection);
    count++;
    connection.closeFuture().addListener(_ -> closed(address, connection));
  }

  private void closeOldest(Queue<Channel> connections) {
    @Nullable Channel oldest = connections.peek();
    if (oldest != null) {
      var _ = oldest.close();
    }
  }

  private void closed(InetAddress address, Channel connection) {
    Queue<Channel> own = open.get(address);
    if (own != null && own.remove(connection)) {
      count--;
      if (own.isEmpty()) {
        open.remove(address);
      }
    }
  }
}
