package io.taskbroker.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/// Ports on the loopback address. Thread-safe.
///
/// Whoever gets one binds it later, perhaps again after a restart, and nobody else must have it
/// meanwhile. So they are below those that Linux gives to connections and to servers on port 0, and
/// each process takes them from a block of its own.
public final class Ports {
  static final String HOST = "127.0.0.1";

  private static final int FIRST = 10_240;
  private static final int BLOCKS = 70;
  private static final int BLOCK_SIZE = 320;

  /// On the first port of the block, which keeps other processes away from it.
  private static final ServerSocket OWN = ownBlock();

  private static int last;

  private Ports() {}

  static InetSocketAddress address(int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(HOST), port);
  }

  /// A currently unused port, which is given again only after some hundred others.
  public static synchronized int free() {
    for (int i = 1; i < BLOCK_SIZE; i++) {
      last = last % (BLOCK_SIZE - 1) + 1;
      int port = OWN.getLocalPort() + last;
      if (isFree(port)) {
        return port;
      }
    }
    throw new IllegalStateException("No free port on " + HOST);
  }

  private static boolean isFree(int port) {
    try (var socket = new ServerSocket()) {
      socket.bind(address(port));
      return true;
    } catch (BindException _) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException("Could not try port " + port + " of " + HOST, e);
    }
  }

  private static ServerSocket ownBlock() {
    long begin = ProcessHandle.current().pid();
    for (int i = 0; i < BLOCKS; i++) {
      int port = FIRST + (int) ((begin + i) % BLOCKS) * BLOCK_SIZE;
      try {
        return new ServerSocket(port, 1, InetAddress.ofLiteral(HOST));
      } catch (BindException _) {
        // Another process has this block.
      } catch (IOException e) {
        throw new UncheckedIOException("Could not bind port " + port + " of " + HOST, e);
      }
    }
    throw new IllegalStateException("No free block of ports on " + HOST);
  }
}
