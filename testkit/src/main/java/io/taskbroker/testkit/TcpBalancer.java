package io.taskbroker.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// TCP load balancer like a Kubernetes Service: a single address; each connection is assigned to
/// the next target in turn, for its lifetime. Thread-safe.
public final class TcpBalancer implements AutoCloseable {
  private static final int BACKLOG = 200;
  private static final int CONNECT_MILLIS = 1_000;
  private static final int BUFFER_BYTES = 1 << 16;

  private final ServerSocket door;
  private final List<Integer> targets = new CopyOnWriteArrayList<>();
  private final Queue<Joined> joined = new ConcurrentLinkedQueue<>();
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger cut = new AtomicInteger();

  /// The two halves of a connection.
  ///
  /// @param target port of the server
  private record Joined(Socket client, Socket server, int target) {
    boolean isOpen() {
      return !client.isClosed() && !server.isClosed();
    }
  }

  private TcpBalancer(ServerSocket door) {
    this.door = door;
    Thread.ofVirtual().name("balancer").start(this::accept);
  }

  /// Starts a balancer on a free local port.
  ///
  /// @param targets local ports of the servers
  public static TcpBalancer start(Integer... targets) {
    try {
      var balancer =
          new TcpBalancer(new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress()));
      balancer.targets.addAll(List.of(targets));
      return balancer;
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start a balancer", e);
    }
  }

  public int port() {
    return door.getLocalPort();
  }

  /// Address for the broker's `worker_map`.
  public String url() {
    return "http://" + Ports.HOST + ":" + port();
  }

  /// Adds a port to the targets of new connections.
  public void add(int target) {
    targets.add(target);
  }

  /// Removes a port from the targets of new connections.
  public void remove(int target) {
    targets.remove(Integer.valueOf(target));
  }

  /// Number of open connections to a port.
  public int connections(int target) {
    return (int) joined.stream().filter(each -> each.target == target && each.isOpen()).count();
  }

  /// Number of connections accepted so far.
  public int accepted() {
    return joined.size();
  }

  /// Number of connections closed by the server side.
  public int cut() {
    return cut.get();
  }

  @Override
  public void close() {
    closeQuietly(door);
    for (Joined each : joined) {
      closeQuietly(each.client);
      closeQuietly(each.server);
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket client = door.accept();
        client.setTcpNoDelay(true);
        Thread.ofVirtual().start(() -> join(client));
      }
    } catch (IOException _) {
      // Closed concurrently.
    }
  }

  /// Connects a client to the next target; without a reachable target the connection is closed.
  private void join(Socket client) {
    Integer[] all = targets.toArray(Integer[]::new);
    if (all.length == 0) {
      closeQuietly(client);
      return;
    }
    int target = all[Math.floorMod(next.getAndIncrement(), all.length)];
    var server = new Socket();
    try {
      server.setTcpNoDelay(true);
      server.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), target), CONNECT_MILLIS);
    } catch (IOException _) {
      closeQuietly(server);
      closeQuietly(client);
      return;
    }
    joined.add(new Joined(client, server, target));
    Thread.ofVirtual().start(() -> pass(client, server, false));
    pass(server, client, true);
  }

  private void pass(Socket from, Socket to, boolean fromServer) {
    byte[] bytes = new byte[BUFFER_BYTES];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
        out.write(bytes, 0, read);
      }
      if (fromServer && !to.isClosed()) {
        cut.incrementAndGet();
      }
    } catch (IOException _) {
      // The peer is closed as well.
    }
  }

  private static void closeQuietly(AutoCloseable each) {
    try {
      each.close();
    } catch (Exception _) {
      // Not used any more.
    }
  }
}
