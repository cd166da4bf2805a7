package io.taskbroker.deliver;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.PushPort;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.Metrics;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Push client: calls a worker once per activation and reports each outcome to the engine exactly
/// once. Retries calls that are proven undelivered on another connection; the engine decides about
/// the rest, and how many calls are in flight. One event loop serves all connections. Thread-safe.
public final class PushClient implements Service, PushPort {
  private static final int MAX_ADDRESSES = 1_000;

  private final Map<String, WorkerAddress> addresses = new HashMap<>();
  private final PushOptions options;
  private final HostLookup lookup;
  private final CommandSink intake;
  private final PushCounts counts;

  private final StartupBuffer buffer = new StartupBuffer();
  private @Nullable PushLoop loop;

  /// @param workers worker address of each application, as `http://host:port` or
  ///   `https://host:port`
  /// @throws IllegalArgumentException if an address has another form, or is https without TLS in
  ///   the options
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

  /// Starts connecting. An unreachable worker is not an error (W13).
  @Override
  public synchronized void start() {
    var started = new PushLoop(addresses, options, lookup, intake, counts);
    loop = started;
    buffer.open(started::send);
  }

  /// Sends the activation at once, or on start. Does not block; [Command.PushEnded] reports the
  /// outcome.
  @Override
  public void push(Delivery delivery) {
    counts.claimed();
    buffer.accept(delivery);
  }

  /// Addresses of the workers, at most 1,000. Never completes before the start and after the stop.
  public synchronized CompletableFuture<List<PushAddress>> addresses() {
    PushLoop running = loop;
    return running == null ? new CompletableFuture<>() : running.addresses(MAX_ADDRESSES);
  }

  /// Gives pending calls 2 seconds to end and abandons the rest. Later pushes are reported as
  /// unreachable.
  @Override
  public synchronized void stop() {
    PushLoop running = loop;
    if (running != null) {
      running.stop();
    } else {
      buffer.open(this::reportUnstarted);
    }
  }

  private void reportUnstarted(Delivery delivery) {
    intake.submit(
        new Command.PushEnded(delivery, PushOutcome.UNREACHABLE, "Pushing has not started"));
  }
}
