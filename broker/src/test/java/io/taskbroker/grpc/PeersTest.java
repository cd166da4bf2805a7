package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;

/// Identity of peers, and the state kept for them (G7).
final class PeersTest {
  private static final int MANY = 20_000;
  private static final int KEPT = 16_384;

  /// Fewer than one connection may send at once.
  private static final int FRAMES = 9_000;

  /// Too few frames to be charged to the peer.
  private static final int FEW_FRAMES = 10;

  private final Peers peers =
      new Peers(new Budgets(new Budget(1_000), new Budget(1_000), new Budget(1_000)));

  @Test
  void g7AddressesOfOneNetworkOf64BitsAreOnePeer() {
    Peer peer = of("2001:db8:1:2::1", 0);

    assertThat(of("2001:db8:1:2:ffff:ffff:ffff:ffff", 0)).isSameAs(peer);
    assertThat(of("2001:db8:1:3::1", 0)).isNotSameAs(peer);
    assertThat(of("10.0.0.1", 0)).isNotSameAs(of("10.0.0.2", 0)).isSameAs(of("10.0.0.1", 0));
  }

  @Test
  void g7PeersWithoutConnectionsAreEvicted() {
    Peer known = of("10.255.255.1", 0);
    known.opened();
    for (int i = 0; i < MANY; i++) {
      var _ = of("10.0.%d.%d".formatted(i >> 8, i & 0xFF), i);
    }

    assertThat(of("10.255.255.1", MANY)).isSameAs(known);
    assertThat(peers.known()).isLessThanOrEqualTo(KEPT);
  }

  /// Each connection stays within its own allowance.
  @Test
  void g8ConnectionsOfOnePeerShareAnAllowanceOfFrames() {
    Peer peer = of("10.0.0.1", System.nanoTime());
    int served = 0;
    for (int i = 0; i < 40; i++) {
      served += overspends(peer, FRAMES) ? 0 : 1;
    }

    assertThat(served)
        .as("connections allowed to send %d frames at once", FRAMES)
        .isBetween(11, 20);
    assertThat(overspends(peer, FEW_FRAMES)).isFalse();
    assertThat(overspends(of("10.0.0.2", System.nanoTime()), FRAMES)).isFalse();
  }

  private static boolean overspends(Peer peer, int frames) {
    return TestConnections.of(peer).overspends(frames, System.nanoTime());
  }

  private Peer of(String address, long now) {
    return peers.of(InetAddress.ofLiteral(address), now);
  }
}
