package io.taskbroker.deliver;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// Worker with minimal HTTP/2, for reactions that no gRPC library would have.
final class RawWorker implements AutoCloseable {
  private static final int PREFACE = 24;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int GOAWAY = 7;
  private static final int END_OF_STREAM_AND_HEADERS = 5;
  private static final int MAX_CONCURRENT_STREAMS = 3;
  private static final int SMALL_BUFFER = 4 << 10;

  private final ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
  private final byte @Nullable [] settings; // null: reads nothing
  private final Reaction reaction;
  private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
  private final CountDownLatch gone = new CountDownLatch(1);
  private volatile boolean hasCall;

  /// Reaction to a received call.
  interface Reaction {
    void to(int stream, OutputStream out) throws IOException;
  }

  private RawWorker(byte @Nullable [] settings, Reaction reaction) throws IOException {
    this.settings = settings;
    if (settings == null) {
      server.setReceiveBufferSize(SMALL_BUFFER);
    }
    this.reaction = reaction;
    Thread.ofVirtual().start(this::serve);
  }

  static RawWorker reacting(Reaction reaction) throws IOException {
    return new RawWorker(new byte[0], reaction);
  }

  /// Accepts connections and what its system buffers, and reads nothing.
  static RawWorker frozen() throws IOException {
    return new RawWorker(null, (stream, out) -> {});
  }

  /// Allows one concurrent call, which is never answered.
  static RawWorker ofOneCall() throws IOException {
    return new RawWorker(new byte[] {0, MAX_CONCURRENT_STREAMS, 0, 0, 0, 1}, (stream, out) -> {});
  }

  static byte[] reset(int stream, int error) {
    return frame(RST_STREAM, stream, new byte[] {0, 0, 0, (byte) error});
  }

  static byte[] goAway(int lastStream, int error) {
    return frame(GOAWAY, 0, new byte[] {0, 0, 0, (byte) lastStream, 0, 0, 0, (byte) error});
  }

  /// Response of a single header.
  static byte[] response(int stream, String status) {
    byte[] header = {0x08, 3, 0, 0, 0}; // ":status", by its static table index
    for (int i = 0; i < 3; i++) {
      header[2 + i] = (byte) status.charAt(i);
    }
    return frame(HEADERS, END_OF_STREAM_AND_HEADERS, stream, header);
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  boolean hasCall() {
    return hasCall;
  }

  @Override
  public void close() throws IOException {
    gone.countDown();
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private void serve() {
    try (server) {
      while (true) {
        Socket socket = server.accept();
        Thread.ofVirtual().start(() -> serve(socket));
      }
    } catch (IOException _) {
      // closed
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      sockets.add(socket);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      OutputStream out = socket.getOutputStream();
      if (settings == null) {
        out.write(frame(SETTINGS, 0, new byte[0]));
        gone.await();
        return;
      }
      in.skipNBytes(PREFACE);
      out.write(frame(SETTINGS, 0, settings));
      while (true) {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        in.readUnsignedByte();
        int stream = in.readInt();
        in.skipNBytes(length);
        if (type == HEADERS) {
          hasCall = true;
          reaction.to(stream, out);
          out.flush();
        }
      }
    } catch (IOException _) {
      // closed by the other side or by the reaction
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] frame(int type, int stream, byte[] payload) {
    return frame(type, 0, stream, payload);
  }

  private static byte[] frame(int type, int flags, int stream, byte[] payload) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(payload.length >> 16);
      out.writeShort(payload.length);
      out.writeByte(type);
      out.writeByte(flags);
      out.writeInt(stream);
      out.write(payload);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }
}
