package io.taskbroker.store.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// TCP proxy that counts round trips and can drop the replies of the server.
final class Proxy implements AutoCloseable {
  private final ServerSocket socket;
  private final int target;
  private final AtomicInteger turns = new AtomicInteger();
  private final List<Socket> open = new CopyOnWriteArrayList<>();
  private volatile boolean dropping;

  Proxy(int target) throws IOException {
    this.target = target;
    socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.startVirtualThread(this::accept);
  }

  int port() {
    return socket.getLocalPort();
  }

  /// Number of times that a client sent after the server did.
  int turns() {
    return turns.get();
  }

  /// Drops every reply from now on, and closes its connection.
  void dropReplies() {
    dropping = true;
  }

  void passReplies() {
    dropping = false;
  }

  @Override
  public void close() throws IOException {
    socket.close();
    for (Socket each : open) {
      each.close();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket client = socket.accept();
        Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        open.addAll(List.of(client, server));
        AtomicInteger last = new AtomicInteger();
        Thread.startVirtualThread(() -> pass(client, server, last, 1));
        Thread.startVirtualThread(() -> pass(server, client, last, 2));
      }
    } catch (IOException _) {
      // Closed.
    }
  }

  private void pass(Socket from, Socket to, AtomicInteger last, int direction) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] bytes = new byte[1 << 16];
      int read = in.read(bytes);
      while (read >= 0) {
        if (direction == 2 && dropping) {
          return;
        }
        if (last.getAndSet(direction) != direction && direction == 1) {
          turns.incrementAndGet();
        }
        out.write(bytes, 0, read);
        read = in.read(bytes);
      }
    } catch (IOException _) {
      // The other side closed first.
    }
  }
}
