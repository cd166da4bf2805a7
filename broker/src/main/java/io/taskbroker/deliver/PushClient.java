package io.taskbroker.deliver;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.PushOutcome;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.Metrics;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Calls workers, one call an activation, and tells the engine of each what became of it, exactly
/// once. Tries again elsewhere what is proven to be nowhere; the rest, and how many calls run, is
/// for the engine to decide. One event loop serves all connections. Thread-safe.
public final class PushClient implements Service {
  private final Map<String, WorkerAddress> addresses = new HashMap<>();
  private final PushOptions options;
  private final HostLookup lookup;
  private final CommandSink intake;
  private final PushCounts counts;

  private final StartupBuffer gate = new StartupBuffer();
  private @Nullable PushLoop loop;

  /// @param workers where the workers of each application are, as `http://host:port` or
  ///   `https://host:port`
  /// @throws IllegalArgumentException if such an address is of another form, or of https without
  ///   TLS in the options
  public PushClient(
      Map<String, URI> workers, PushOptions options, CommandSink intake, Metrics metrics) {
    this(workers, options, HostLookup.SYSTEM, intake, metrics);
  }

  PushClient(
      Map<String, URI> workers,
      PushOptions options,
      HostLookup lookup,
      CommandSink intake,
      Metrics metrics) {
    workers.forEach((application, uri) -> {
      WorkerAddress address = WorkerAddress.of(application, uri);
      if (address.tls() && options.tls().isEmpty()) {
        throw new IllegalArgumentException(
            "The worker of application '%s' at '%s' needs TLS, which is not set up"
                .formatted(application, uri));
      }
      addresses.put(application, address);
    });
    this.options = options;
    this.lookup = lookup;
    this.intake = intake;
    this.counts = new PushCounts(metrics);
  }

  @Override
  public String name() {
    return "push client";
  }

  /// Begins to connect. That a worker is down is no error (W13).
  @Override
  public synchronized void start() {
    var started = new PushLoop(addresses, options, lookup, intake, counts);
    loop = started;
    gate.open(started::send);
  }

  /// Sends the activation at once, or on start. Does not block; [Command.PushEnded] tells what
  /// became of it.
  public void push(Delivery delivery) {
    counts.claimed();
    gate.pass(delivery);
  }

  /// Gives the calls that are under way 2 seconds to end, and gives up the rest. What is to be
  /// pushed from now on is told to be unreachable.
  @Override
  public synchronized void stop() {
    PushLoop running = loop;
    if (running != null) {
      running.stop();
    } else {
      gate.open(this::tellUnstarted);
    }
  }

  private void tellUnstarted(Delivery delivery) {
    intake.submit(
        new Command.PushEnded(delivery, PushOutcome.UNREACHABLE, "Pushing has not started"));
  }
}
