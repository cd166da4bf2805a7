package io.taskbroker.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// Statsd server that keeps the received lines, on any free loopback port. Thread-safe.
public final class StatsdReceiver implements AutoCloseable {
  private final DatagramSocket socket;
  private final List<Line> lines = new CopyOnWriteArrayList<>();
  private volatile int largest;

  /// One parsed line.
  ///
  /// @param rate sample rate; 1 if not sampled
  public record Line(String name, double value, char kind, double rate, Map<String, String> tags) {
    /// @throws IllegalArgumentException if it is not a DogStatsD line
    public static Line parse(String text) {
      String[] parts = text.split("\\|", -1);
      int colon = parts[0].indexOf(':');
      double rate = 1;
      var tags = new TreeMap<String, String>();
      for (String part : Arrays.asList(parts).subList(2, parts.length)) {
        if (part.startsWith("@")) {
          rate = Double.parseDouble(part.substring(1));
        } else if (part.startsWith("#")) {
          for (String tag : part.substring(1).split(",", -1)) {
            tags.put(tag.substring(0, tag.indexOf(':')), tag.substring(tag.indexOf(':') + 1));
          }
        } else {
          throw new IllegalArgumentException("Not a DogStatsD line: " + text);
        }
      }
      if (parts[1].length() != 1) {
        throw new IllegalArgumentException("Not a DogStatsD line: " + text);
      }
      return new Line(
          parts[0].substring(0, colon),
          Double.parseDouble(parts[0].substring(colon + 1)),
          parts[1].charAt(0),
          rate,
          tags);
    }

    /// Number of values that the line stands for.
    public long times() {
      return Math.round(1 / rate);
    }
  }

  private StatsdReceiver(DatagramSocket socket) {
    this.socket = socket;
  }

  public static StatsdReceiver open() throws IOException {
    var receiver = new StatsdReceiver(new DatagramSocket(0, InetAddress.ofLiteral(Ports.HOST)));
    receiver.socket.setReceiveBufferSize(4 << 20);
    Thread.ofPlatform().name("statsd-receiver").daemon().start(receiver::receive);
    return receiver;
  }

  private void receive() {
    var packet = new DatagramPacket(new byte[65_536], 65_536);
    try {
      while (true) {
        socket.receive(packet);
        largest = Math.max(largest, packet.getLength());
        String text = new String(packet.getData(), 0, packet.getLength(), UTF_8);
        text.lines().map(Line::parse).forEach(lines::add);
        packet.setLength(65_536);
      }
    } catch (IOException _) {
      // Closed concurrently.
    }
  }

  /// Unresolved, as from a configuration.
  public InetSocketAddress address() {
    return InetSocketAddress.createUnresolved(Ports.HOST, socket.getLocalPort());
  }

  /// Size of the largest datagram so far, in bytes.
  public int largest() {
    return largest;
  }

  public List<Line> lines(String name) {
    return lines.stream().filter(line -> line.name.equals(name)).toList();
  }

  public List<Line> lines() {
    return List.copyOf(lines);
  }

  /// Sum of the lines of a counter.
  public double sum(String name) {
    return lines(name).stream().mapToDouble(Line::value).sum();
  }

  /// Sum of the lines of a counter with a tag.
  public double sum(String name, String tag, String value) {
    return lines(name).stream()
        .filter(line -> value.equals(line.tags.get(tag)))
        .mapToDouble(Line::value)
        .sum();
  }

  /// Number of values that the lines of a histogram stand for.
  public long times(String name) {
    return lines(name).stream().mapToLong(Line::times).sum();
  }

  @Override
  public void close() {
    socket.close();
  }
}
