package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Non-blocking UDP socket to statsd that packs lines into datagrams. An unreachable statsd is not
/// an error; its address is resolved on the first line, after failures, and once a minute. Used by
/// one thread, except for [#dropped].
final class StatsdSocket implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StatsdSocket.class);
  private static final int DATAGRAM_BYTES = 1_024;
  private static final long LOOK_UP_NANOS = 60_000_000_000L;

  /// Time without a drop after which statsd counts as recovered: without a listener, every second
  /// datagram seems to be sent.
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

  /// @param target may be unresolved
  StatsdSocket(InetSocketAddress target) {
    this.target = target;
  }

  /// Starts a report and resets the failure state of the previous one.
  void begin() {
    if (unreported > 0 && System.nanoTime() - droppedAt > RECOVERY_NANOS) {
      log.info(
          "Statsd at {}:{} accepts metrics again; {} datagrams were dropped",
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

  /// Buffers a line; it is sent by [#flush] at the latest. A line longer than a datagram is
  /// dropped.
  void add(String line) {
    byte[] bytes = line.getBytes(UTF_8);
    int separator = datagram.position() == 0 ? 0 : 1;
    if (bytes.length + separator > datagram.remaining()) {
      flush();
      separator = 0;
    }
    if (bytes.length > DATAGRAM_BYTES) {
      log.debug("Dropped a line that is too long for a statsd datagram: {}", line);
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
      // There was no listener: statsd may have moved, so resolve its address again.
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

  /// Number of dropped datagrams: no listener, or no buffer space. Sent datagrams may be lost
  /// unnoticed.
  long dropped() {
    return dropped;
  }

  private boolean send() {
    try {
      DatagramChannel open = channel == null ? open() : channel;
      int _ = open.write(datagram); // all of it, or nothing if the socket buffer is full
      return true;
    } catch (IOException e) {
      log.debug("Cannot send to statsd at {}", target, e);
      return false;
    }
  }

  private DatagramChannel open() throws IOException {
    var address = new InetSocketAddress(target.getHostString(), target.getPort());
    if (address.isUnresolved()) {
      throw new IOException("Unknown host: " + target.getHostString());
    }
    DatagramChannel opened = DatagramChannel.open();
    try {
      opened.configureBlocking(false);
      // Only a connected socket reports that there is no listener.
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
