package io.taskbroker.testkit;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Connection pooler for a Postgres server with trust authentication, which behaves like PgBouncer:
/// clients see a process id that belongs to no backend, and login errors with the SQLSTATE of a
/// protocol violation. Thread-safe.
public final class PostgresPooler implements AutoCloseable {
  private static final int SSL_REQUEST = 80877103;
  private static final int GSS_REQUEST = 80877104;
  private static final int PROTOCOL_3 = 196608;
  private static final int MOST_BYTES = 64 << 20;

  private final ServerSocket door;
  private final int target;
  private final Mode mode;
  private final Map<String, ArrayDeque<Backend>> idle = new HashMap<>(); // by database and user
  private final List<Socket> open = new ArrayList<>();

  private PostgresPooler(int target, Mode mode) throws IOException {
    this.target = target;
    this.mode = mode;
    this.door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().name("pooler").start(this::accept);
  }

  /// Scope for which a client holds a server session.
  public enum Mode {
    /// The client's connection.
    SESSION,
    /// Each transaction, on the most recently used session.
    TRANSACTION,
    /// Each transaction, on the least recently used session.
    TRANSACTION_IN_TURN
  }

  /// Starts a pooler on a free local port.
  ///
  /// @param target local port of the server
  public static PostgresPooler start(int target, Mode mode) {
    try {
      return new PostgresPooler(target, mode);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start a pooler", e);
    }
  }

  public int port() {
    return door.getLocalPort();
  }

  @Override
  public void close() {
    closeQuietly(door);
    List<Socket> all;
    synchronized (open) {
      all = List.copyOf(open);
    }
    all.forEach(PostgresPooler::closeQuietly);
  }

  private void accept() {
    try {
      while (true) {
        Socket client = opened(door.accept());
        Thread.ofVirtual().start(() -> serve(client));
      }
    } catch (IOException _) {
      // Closed concurrently.
    }
  }

  private Socket opened(Socket socket) throws IOException {
    socket.setTcpNoDelay(true);
    synchronized (open) {
      open.add(socket);
    }
    return socket;
  }

  private void serve(Socket socket) {
    try (socket) {
      var in = new DataInputStream(socket.getInputStream());
      var out = new DataOutputStream(socket.getOutputStream());
      byte[] startup = startup(in, out);
      if (startup.length == 0) {
        return;
      }
      String pool = pool(startup);
      Backend first = acquire(pool, startup, out);
      if (first == null) {
        return;
      }
      welcome(first, out);
      if (mode == Mode.SESSION) {
        share(socket, in, out, first);
      } else {
        release(pool, first);
        serveTransactions(pool, startup, in, out);
      }
    } catch (IOException _) {
      // The client or the server disconnected.
    }
  }

  /// Startup message of the client; empty for a cancel request.
  private static byte[] startup(DataInputStream in, DataOutputStream out) throws IOException {
    while (true) {
      byte[] body = body(in);
      int code = new DataInputStream(new ByteArrayInputStream(body)).readInt();
      if (code == SSL_REQUEST || code == GSS_REQUEST) {
        out.write('N');
        out.flush();
      } else {
        return code == PROTOCOL_3 ? body : new byte[0];
      }
    }
  }

  /// Pool key: database and user of a client.
  private static String pool(byte[] startup) {
    String[] words =
        new String(startup, 4, startup.length - 4, StandardCharsets.UTF_8).split("\0", -1);
    var parameters = new HashMap<String, String>();
    for (int i = 0; i + 1 < words.length; i += 2) {
      parameters.put(words[i], words[i + 1]);
    }
    return parameters.get("database") + "\0" + parameters.get("user");
  }

  private void serveTransactions(
      String pool, byte[] startup, DataInputStream in, DataOutputStream out) throws IOException {
    Backend backend = null;
    try {
      while (true) {
        int type = in.read();
        if (type < 0 || type == 'X') {
          return;
        }
        byte[] body = body(in);
        if (backend == null) {
          backend = acquire(pool, startup, out);
          if (backend == null) {
            return;
          }
        }
        write(backend.out, type, body);
        if (type == 'Q' || type == 'S') {
          backend.out.flush();
          boolean over = answer(backend, out);
          if (over) {
            release(pool, backend);
            backend = null;
          }
        }
      }
    } finally {
      if (backend != null) {
        closeQuietly(backend.socket); // in the middle of a transaction
      }
    }
  }

  /// Forwards the server's messages until it is ready; returns whether no transaction is open then.
  private static boolean answer(Backend backend, DataOutputStream out) throws IOException {
    while (true) {
      int type = backend.in.read();
      if (type < 0) {
        throw new IOException("The server disconnected");
      }
      byte[] body = body(backend.in);
      write(out, type, body);
      if (type == 'Z') {
        out.flush();
        return body[0] == 'I';
      }
    }
  }

  /// Forwards everything in both directions until one side disconnects.
  private void share(Socket client, InputStream in, OutputStream out, Backend backend)
      throws IOException {
    Thread.ofVirtual()
        .start(() -> {
          try (client) {
            backend.in.transferTo(out);
          } catch (IOException _) {
            // The client disconnected.
          }
        });
    try (backend.socket) {
      in.transferTo(backend.socket.getOutputStream());
    }
  }

  /// A server session; null if the server refuses, in which case the client received the error.
  private @Nullable Backend acquire(String pool, byte[] startup, DataOutputStream client)
      throws IOException {
    if (mode != Mode.SESSION) {
      synchronized (idle) {
        ArrayDeque<Backend> free = idle.computeIfAbsent(pool, _ -> new ArrayDeque<>());
        if (!free.isEmpty()) {
          return mode == Mode.TRANSACTION ? free.removeLast() : free.removeFirst();
        }
      }
    }
    var backend = new Backend(opened(new Socket(InetAddress.getLoopbackAddress(), target)));
    backend.out.writeInt(startup.length + 4);
    backend.out.write(startup);
    backend.out.flush();
    while (true) {
      int type = backend.in.read();
      byte[] body = body(backend.in);
      if (type == 'E') {
        write(client, 'E', asBrokenProtocol(body));
        client.flush();
        closeQuietly(backend.socket);
        return null;
      } else if (type == 'S') {
        backend.parameters.add(body);
      } else if (type == 'Z') {
        return backend;
      }
    }
  }

  private void release(String pool, Backend backend) {
    synchronized (idle) {
      idle.computeIfAbsent(pool, _ -> new ArrayDeque<>()).addLast(backend);
    }
  }

  /// The error with SQLSTATE 08P01.
  private static byte[] asBrokenProtocol(byte[] error) {
    String text = new String(error, StandardCharsets.UTF_8);
    return text.replaceFirst("\0C[0-9A-Z]{5}\0", "\0C08P01\0").getBytes(StandardCharsets.UTF_8);
  }

  private static void welcome(Backend backend, DataOutputStream out) throws IOException {
    write(out, 'R', new byte[4]);
    for (byte[] parameter : backend.parameters) {
      write(out, 'S', parameter);
    }
    write(out, 'K', new byte[] {0x7F, 1, 2, 3, 4, 5, 6, 7});
    write(out, 'Z', new byte[] {'I'});
    out.flush();
  }

  private static byte[] body(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 4 || length > MOST_BYTES) {
      throw new IOException("A message of " + length + " bytes");
    }
    return in.readNBytes(length - 4);
  }

  private static void write(DataOutputStream out, int type, byte[] body) throws IOException {
    var message = new ByteArrayOutputStream(body.length + 5);
    var data = new DataOutputStream(message);
    data.write(type);
    data.writeInt(body.length + 4);
    data.write(body);
    message.writeTo(out);
  }

  private static void closeQuietly(AutoCloseable some) {
    try {
      some.close();
    } catch (Exception _) {
      // Not used any more.
    }
  }

  private static final class Backend {
    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;
    private final List<byte[]> parameters = new ArrayList<>();

    Backend(Socket socket) throws IOException {
      this.socket = socket;
      this.in = new DataInputStream(socket.getInputStream());
      this.out = new DataOutputStream(socket.getOutputStream());
    }
  }
}
