package io.taskbroker.grpc;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Peers by their address; of IPv6 by the network of 64 bits that one host usually has for itself.
/// Bounded: what is known of a peer without connections is forgotten (G7). Confined to the loop
/// that accepts connections.
final class Peers {
  private static final int MANY = 16_384;
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
      if (peers.size() >= MANY) {
        peers.values().removeIf(each -> each.isForgettable(now));
      }
      if (peers.size() >= MANY) {
        // Under so many strangers at once, those without connections are forgotten, struck or not.
        peers.values().removeIf(each -> each.open() == 0);
      }
      peer = new Peer(network, budgets, now);
      peers.put(network, peer);
    }
    return peer;
  }

  /// How many are remembered.
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
