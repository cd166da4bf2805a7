package io.taskbroker.simulation;

import io.grpc.Status;
import io.taskbroker.grpc.SteppedServices;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// One call over a connection between a client and a broker process: messages arrive in their
/// order, both ways, until the call ends or the connection breaks.
final class Link implements SteppedServices.Client {
  /// When a broker notices a peer that vanished, by its keep-alive.
  private static final long KEEP_ALIVE = 80 * SimulatedWorld.SECOND;

  private final SimulatedServer server;
  private final SimulatedWorld world;
  private final Peer peer;
  private SteppedServices.@Nullable Call call;

  /// What is on its way to the broker, in order: a process that is frozen reads it later.
  private final ArrayDeque<Runnable> inbox = new ArrayDeque<>();

  private long lastToBroker;
  private long lastToClient;

  /// Whether the client hears nothing more, and the broker neither.
  private boolean over;

  private boolean deaf;
  private boolean ended;

  /// When the broker read the last message of the client.
  private long heardAt;

  /// Client's end of a call.
  interface Peer {
    void message(byte[] bytes);

    /// The call ended.
    ///
    /// @param status null if the connection broke
    void closed(Status.@Nullable Code status);
  }

  Link(SimulatedServer server, SimulatedWorld world, String method, Peer peer) {
    this.server = server;
    this.world = world;
    this.peer = peer;
    toBroker(() -> {
      SteppedServices.Call begun = server.begin(method, this);
      if (!ended) {
        call = begun;
      }
    });
  }

  long heardAt() {
    return heardAt;
  }

  void send(byte[] message) {
    toBroker(() -> {
      SteppedServices.Call to = call;
      if (to != null) {
        heardAt = world.now();
        server.during(this, () -> to.message(message));
      }
    });
  }

  void halfClose() {
    toBroker(() -> {
      SteppedServices.Call to = call;
      if (to != null) {
        server.during(this, to::halfClose);
      }
    });
  }

  private void toBroker(Runnable body) {
    lastToBroker = Math.max(lastToBroker, world.now() + server.network());
    inbox.add(body);
    server.arrive(
        lastToBroker - world.now(),
        () -> {
          Runnable first = inbox.remove();
          if (!deaf) {
            first.run();
          }
        });
  }

  private void toClient(Runnable body) {
    lastToClient = Math.max(lastToClient, world.now() + server.network());
    world.after(
        lastToClient - world.now(),
        "message to client",
        () -> {
          if (!over) {
            body.run();
          }
        });
  }

  @Override
  public void message(byte[] bytes) {
    toClient(() -> peer.message(bytes));
  }

  @Override
  public void closed(Status.Code status) {
    ended = true;
    server.forget(this);
    toClient(() -> {
      over = true;
      peer.closed(status);
    });
  }

  /// Breaks the connection, as the client sees it at once.
  ///
  /// @param heard whether the broker hears of it; otherwise the client's machine is gone
  void cut(boolean heard) {
    over = true;
    deaf = !heard || world.random.nextBoolean();
    lastToBroker =
        Math.max(lastToBroker, world.now() + (heard ? server.network() : KEEP_ALIVE));
    server.arrive(
        lastToBroker - world.now(),
        () -> {
          server.forget(this);
          SteppedServices.Call of = call;
          if (of != null) {
            of.cancel();
          }
        });
  }

  /// The process ended.
  void died() {
    toClient(() -> {
      over = true;
      peer.closed(null);
    });
  }
}
