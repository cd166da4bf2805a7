package io.taskbroker.control;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/// Line-based protocol over a non-blocking connection: reads and writes single lines, bounded in
/// bytes and time. Confined to one thread.
final class Lines implements AutoCloseable {
  private static final int CHUNK = 64 << 10;

  private final SocketChannel connection;
  private final Selector selector;
  private final SelectionKey key;

  /// @param connection closed together with this
  Lines(SocketChannel connection) throws IOException {
    this.connection = connection;
    this.selector = Selector.open();
    try {
      connection.configureBlocking(false);
      this.key = connection.register(selector, 0);
    } catch (IOException e) {
      selector.close();
      throw e;
    }
  }

  /// Reads the bytes before the first line break.
  ///
  /// @throws IOException if no line arrives within the limits
  byte[] read(int maxBytes, Duration timeout) throws IOException {
    long end = System.nanoTime() + timeout.toNanos();
    var line = new ByteArrayOutputStream();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
    while (true) {
      await(SelectionKey.OP_READ, end);
      int read = connection.read(chunk.clear());
      if (read < 0) {
        throw new IOException("the connection was closed");
      }
      for (int i = 0; i < read; i++) {
        if (chunk.get(i) == '\n') {
          line.write(chunk.array(), 0, i);
          return line.toByteArray();
        }
      }
      line.write(chunk.array(), 0, read);
      if (line.size() > maxBytes) {
        throw new IOException("a line of more than " + maxBytes + " bytes");
      }
    }
  }

  /// Writes a line.
  ///
  /// @param line without a line break
  /// @throws IOException if it is not written in time
  void write(byte[] line, Duration timeout) throws IOException {
    long end = System.nanoTime() + timeout.toNanos();
    ByteBuffer left = ByteBuffer.allocate(line.length + 1).put(line).put((byte) '\n').flip();
    while (left.hasRemaining()) {
      await(SelectionKey.OP_WRITE, end);
      connection.write(left);
    }
  }

  private void await(int operation, long end) throws IOException {
    key.interestOps(operation);
    long millis = (end - System.nanoTime()) / 1_000_000;
    if (millis <= 0 || selector.select(millis) == 0) {
      throw new IOException("timed out");
    }
    selector.selectedKeys().clear();
  }

  @Override
  public void close() throws IOException {
    selector.close();
    connection.close();
  }
}
