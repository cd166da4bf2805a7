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

/// Passes connections on to a server, counts how often the clients speak in turn with it, and can
/// lose what it answers.
final class Proxy implements AutoCloseable {
  private final ServerSocket socket;
  private final int target;
  private final AtomicInteger turns = new AtomicInteger();
  private final List<Socket> open = new CopyOnWriteArrayList<>();
  private volatile boolean losing;

  Proxy(int target) throws IOException {
    this.target = target;
    socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.startVirtualThread(this::accept);
  }

  int port() {
    return socket.getLocalPort();
  }

  /// How often a client has spoken after the server did.
  int turns() {
    return turns.get();
  }

  /// From now on what the server answers is lost, and the connection with it.
  void loseAnswers() {
    losing = true;
  }

  void passAnswers() {
    losing = false;
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
        if (direction == 2 && losing) {
          return;
        }
        if (last.getAndSet(direction) != direction && direction == 1) {
          turns.incrementAndGet();
        }
        out.write(bytes, 0, read);
        read = in.read(bytes);
      }
    } catch (IOException _) {
      // The other side is closed too.
    }
  }
}
