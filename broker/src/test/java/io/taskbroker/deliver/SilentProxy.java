package io.taskbroker.deliver;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// Proxy that can drop its connections silently, as load balancers do: data sent on them is lost
/// without notice.
final class SilentProxy implements AutoCloseable {
  private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final int target;
  private final AtomicInteger forgotten = new AtomicInteger(); // connections up to this number
  private final List<Socket> clients = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();

  SilentProxy(int target) throws IOException {
    this.target = target;
    Thread.startVirtualThread(this::accept);
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort());
  }

  int connections() {
    return connections.get();
  }

  /// Number of open connections.
  long open() {
    return clients.stream().filter(client -> !client.isClosed()).count();
  }

  /// Drops all current connections.
  void forget() {
    forgotten.set(connections.get());
  }

  @Override
  public void close() throws IOException {
    socket.close();
    for (Socket each : clients) {
      each.close();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket client = socket.accept();
        Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
        clients.add(client);
        int number = connections.incrementAndGet();
        Thread.startVirtualThread(() -> pass(client, server, number));
        Thread.startVirtualThread(() -> pass(server, client, number));
      }
    } catch (IOException _) {
      // closed
    }
  }

  private void pass(Socket from, Socket to, int number) {
    byte[] bytes = new byte[1 << 16];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
        if (number > forgotten.get()) {
          out.write(bytes, 0, read);
        }
      }
    } catch (IOException _) {
      // the other side is closed, too
    }
  }
}
