package io.taskbroker.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Composite service: starts its services in order and stops them in reverse. Thread-safe.
public final class ServiceGroup implements Service {
  private static final Logger log = LoggerFactory.getLogger(ServiceGroup.class);

  private final String name;
  private final List<Service> services;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Service> started = new ArrayList<>(); // guarded by lock
  private volatile State state = State.LATENT; // written under lock
  private volatile boolean stopRequested;

  public ServiceGroup(String name, List<? extends Service> services) {
    this.name = name;
    this.services = List.copyOf(services);
  }

  /// Lifecycle state of a group; each is reached at most once, in this order.
  public enum State {
    LATENT,
    STARTING,
    STARTED,
    STOPPING,
    STOPPED
  }

  @Override
  public String name() {
    return name;
  }

  public State state() {
    return state;
  }

  /// Starts the services in order. If one fails to start, or [#stop] is called meanwhile, those
  /// already started are stopped in reverse.
  ///
  /// @throws IllegalStateException if a service fails to start, naming it, with failures to stop
  ///   the others as suppressed exceptions; also if the group was started or stopped before
  @Override
  public void start() {
    lock.lock();
    try {
      if (state != State.LATENT) {
        throw new IllegalStateException("Cannot start " + name + ": it is " + state);
      }
      state = State.STARTING;
      for (Service service : services) {
        startOne(service);
      }
      state = State.STARTED;
    } finally {
      lock.unlock();
    }
  }

  /// Stops the started services in reverse, each despite failures of others. A concurrent start is
  /// aborted as soon as the current service has started. Idempotent.
  ///
  /// @throws IllegalStateException if services fail to stop, naming them, with their failures as
  ///   suppressed exceptions
  @Override
  public void stop() {
    stopRequested = true;
    lock.lock();
    try {
      if (state == State.STOPPED) {
        return;
      }
      List<RuntimeException> failures = stopStarted();
      if (!failures.isEmpty()) {
        IllegalStateException all =
            new IllegalStateException(
                failures.stream()
                    .map(Throwable::getMessage)
                    .collect(Collectors.joining("; ", name + " did not stop cleanly: ", "")));
        failures.forEach(all::addSuppressed);
        throw all;
      }
    } finally {
      lock.unlock();
    }
  }

  private void startOne(Service service) {
    try {
      if (stopRequested) {
        throw new IllegalStateException(name + " is being stopped");
      }
      long begin = System.nanoTime();
      service.start();
      started.add(service);
      log.info("{} started in {} ms", service.name(), millisSince(begin));
    } catch (Throwable e) {
      IllegalStateException failure =
          new IllegalStateException("Cannot start " + service.name() + ": " + FailureText.of(e), e);
      stopStarted().forEach(failure::addSuppressed);
      throw failure;
    }
  }

  private List<RuntimeException> stopStarted() {
    state = State.STOPPING;
    List<RuntimeException> failures = new ArrayList<>();
    while (!started.isEmpty()) {
      Service service = started.removeLast();
      long begin = System.nanoTime();
      try {
        service.stop();
        log.info("{} stopped in {} ms", service.name(), millisSince(begin));
      } catch (Throwable e) {
        log.error("{} failed to stop after {} ms", service.name(), millisSince(begin), e);
        failures.add(
            new IllegalStateException(
                "Cannot stop " + service.name() + ": " + FailureText.of(e), e));
      }
    }
    state = State.STOPPED;
    return failures;
  }

  private static long millisSince(long begin) {
    return (System.nanoTime() - begin) / 1_000_000;
  }
}
