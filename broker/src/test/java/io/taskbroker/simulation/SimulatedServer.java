package io.taskbroker.simulation;

import io.taskbroker.grpc.SteppedServices;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.runtime.SystemContext;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Server of the protocol `taskbroker.v1` in one broker process: the real services on a simulated
/// event loop, and the network before it.
final class SimulatedServer {
  private final SimulatedProcess process;
  private final SimulatedWorld world;
  private final SimulatedLoop loop;
  private final SteppedServices services;
  private final Set<Link> links = new LinkedHashSet<>();
  private @Nullable Link current;

  /// @param schedules null if the broker keeps none
  SimulatedServer(
      SimulatedProcess process,
      SimulatedWorld world,
      CommandSink sink,
      @Nullable SimulatedSchedules schedules,
      SystemContext context) {
    this.process = process;
    this.world = world;
    this.loop = new SimulatedLoop(process, world);
    this.services =
        new SteppedServices(
            process.broker.name,
            new ObservedCommands(process, this, sink),
            schedules == null ? null : schedules.stage(),
            context,
            loop);
  }

  SimulatedProcess process() {
    return process;
  }

  /// Time of a message in the network.
  long network() {
    return world.between(
        SimulatedWorld.MS / 10, world.fault(20) ? 500 * SimulatedWorld.MS : 5 * SimulatedWorld.MS);
  }

  /// Begins a call over a connection of its own.
  Link connect(String method, Link.Peer peer) {
    var link = new Link(this, world, method, peer);
    links.add(link);
    return link;
  }

  SteppedServices.Call begin(String method, Link link) {
    return services.call(method, link);
  }

  /// Something arrives at the process after that time.
  void arrive(long nanos, Runnable body) {
    process.later(nanos, "message to broker", () -> loop.execute(body));
  }

  /// Handles a message of that link.
  void during(Link link, Runnable body) {
    current = link;
    try {
      body.run();
    } finally {
      current = null;
    }
  }

  /// The link whose message is being handled; null if none is.
  @Nullable Link current() {
    return current;
  }

  void forget(Link link) {
    links.remove(link);
  }

  /// Tells workers that the process is about to stop.
  void drain() {
    loop.execute(services::drain);
  }

  /// Ends all calls.
  void failAll() {
    loop.execute(services::failAll);
  }

  boolean isIdle() {
    return services.isIdle();
  }

  void died() {
    List.copyOf(links).forEach(Link::died);
  }
}
