package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The way to a statsd: packs lines into datagrams and sends them, without ever waiting. A statsd
/// that is not there is no error; its address is looked up when the first line is sent, after
/// failures, and once a minute. Used by one thread, but for [#dropped].
final class StatsdSocket implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StatsdSocket.class);
  private static final int DATAGRAM_BYTES = 1_024;
  private static final long LOOK_UP_NANOS = 60_000_000_000L;

  /// Time without a drop before statsd counts as back: where nobody listens, every second datagram
  /// seems to be sent.
  private static final long RECOVERY_NANOS = 10_000_000_000L;

  private final InetSocketAddress target;
  private final ByteBuffer datagram = ByteBuffer.allocate(DATAGRAM_BYTES);
  private @Nullable DatagramChannel channel;
  private long openedAt;
  private boolean reopened;
  private boolean broken;
  private long unreported;
  private long droppedAt;
  private long droppedSoFar;
  private volatile long dropped; // written by one thread

  /// @param target need not be resolved
  StatsdSocket(InetSocketAddress target) {
    this.target = target;
  }

  /// Begins a report: what failed before may work again.
  void begin() {
    if (unreported > 0 && System.nanoTime() - droppedAt > RECOVERY_NANOS) {
      log.info(
          "Statsd at {}:{} takes metrics again; {} datagrams were dropped",
          target.getHostString(),
          target.getPort(),
          unreported);
      unreported = 0;
    }
    reopened = false;
    broken = false;
    if (channel != null && System.nanoTime() - openedAt > LOOK_UP_NANOS) {
      close();
    }
  }

  /// Sends a line with others, at the latest by [#flush]. One that fits into no datagram is
  /// dropped.
  void add(String line) {
    byte[] bytes = line.getBytes(UTF_8);
    int separator = datagram.position() == 0 ? 0 : 1;
    if (bytes.length + separator > datagram.remaining()) {
      flush();
      separator = 0;
    }
    if (bytes.length > DATAGRAM_BYTES) {
      log.debug("Too long for statsd, dropped: {}", line);
      return;
    }
    if (separator == 1) {
      datagram.put((byte) '\n');
    }
    datagram.put(bytes);
  }

  void flush() {
    if (datagram.position() == 0) {
      return;
    }
    datagram.flip();
    while (!broken && !send()) {
      // Nobody listened there a moment ago: perhaps somebody does now, perhaps elsewhere.
      close();
      broken = reopened;
      reopened = true;
    }
    if (datagram.hasRemaining()) {
      droppedSoFar++;
      dropped = droppedSoFar;
      unreported++;
      droppedAt = System.nanoTime();
    }
    datagram.clear();
  }

  /// How many datagrams were dropped: nobody listened, or the system had no room for them. What was
  /// sent may get lost too, unseen.
  long dropped() {
    return dropped;
  }

  private boolean send() {
    try {
      DatagramChannel open = channel == null ? open() : channel;
      int _ = open.write(datagram); // all of it, or nothing when the system has no room
      return true;
    } catch (IOException e) {
      log.debug("Cannot send to statsd at {}", target, e);
      return false;
    }
  }

  private DatagramChannel open() throws IOException {
    var address = new InetSocketAddress(target.getHostString(), target.getPort());
    if (address.isUnresolved()) {
      throw new IOException("The host is not known: " + target.getHostString());
    }
    DatagramChannel opened = DatagramChannel.open();
    try {
      opened.configureBlocking(false);
      // What is not connected is not told that nobody listens.
      opened.connect(address);
    } catch (IOException e) {
      opened.close();
      throw e;
    }
    openedAt = System.nanoTime();
    channel = opened;
    return opened;
  }

  @Override
  public void close() {
    DatagramChannel open = channel;
    channel = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        log.debug("Cannot close the socket to statsd", e);
      }
    }
  }
}
