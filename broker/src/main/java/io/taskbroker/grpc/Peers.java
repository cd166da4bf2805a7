package io.taskbroker.grpc;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Peers by address, or by /64 network for IPv6, which one host usually has to itself. Bounded: the
/// state of peers without connections is evicted (G7). Confined to the accepting loop.
final class Peers {
  private static final int MAX_PEERS = 16_384;
  private static final int NETWORK_BYTES = 8;

  private final Map<InetAddress, Peer> peers = new LinkedHashMap<>();
  private final Budgets budgets;

  Peers(Budgets budgets) {
    this.budgets = budgets;
  }

  Peer of(InetAddress address, long now) {
    InetAddress network = network(address);
    Peer peer = peers.get(network);
    if (peer == null) {
      if (peers.size() >= MAX_PEERS) {
        peers.values().removeIf(each -> each.isEvictable(now));
      }
      if (peers.size() >= MAX_PEERS) {
        // Above the limit, all peers without connections are evicted, despite their strikes.
        peers.values().removeIf(each -> each.open() == 0);
      }
      peer = new Peer(network, budgets, now);
      peers.put(network, peer);
    }
    return peer;
  }

  /// Number of known peers.
  int known() {
    return peers.size();
  }

  private static InetAddress network(InetAddress address) {
    if (!(address instanceof Inet6Address)) {
      return address;
    }
    byte[] bytes = address.getAddress();
    Arrays.fill(bytes, NETWORK_BYTES, bytes.length, (byte) 0);
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("An address of " + bytes.length + " bytes", e);
    }
  }
}
