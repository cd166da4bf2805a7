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

/// TCP balancer as a Kubernetes Service is one: a single address, and each connection goes to the
/// next target in turn, for as long as it lasts. Thread-safe.
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
  /// @param target the port that it goes to
  private record Joined(Socket client, Socket server, int target) {
    boolean isOpen() {
      return !client.isClosed() && !server.isClosed();
    }
  }

  private TcpBalancer(ServerSocket door) {
    this.door = door;
    Thread.ofVirtual().name("balancer").start(this::accept);
  }

  /// Starts a balancer on a free port of this machine.
  ///
  /// @param targets the ports on this machine that connections go to
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

  /// What belongs into the broker's `worker_map`.
  public String url() {
    return "http://" + Ports.HOST + ":" + port();
  }

  /// From now on connections go to this port, too.
  public void add(int target) {
    targets.add(target);
  }

  /// From now on no new connection goes to this port.
  public void remove(int target) {
    targets.remove(Integer.valueOf(target));
  }

  /// How many connections go to a port now.
  public int connections(int target) {
    return (int) joined.stream().filter(each -> each.target == target && each.isOpen()).count();
  }

  /// How many connections there were.
  public int accepted() {
    return joined.size();
  }

  /// How many connections ended because the other side of them did.
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
      // Closed.
    }
  }

  /// Without a target, or where there is nobody, the connection is closed as it was made.
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
      // The other side is closed too.
    }
  }

  private static void closeQuietly(AutoCloseable each) {
    try {
      each.close();
    } catch (Exception _) {
      // It is not used any more.
    }
  }
}
