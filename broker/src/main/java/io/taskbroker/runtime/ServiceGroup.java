package io.taskbroker.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Services that are started in order and stopped in reverse, as one service. Thread-safe.
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

  /// Where a group is in its life, which it goes through once.
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

  /// Starts the services in order. If one cannot start, or [#stop] is called meanwhile, those that
  /// were started are stopped in reverse.
  ///
  /// @throws IllegalStateException names the service that could not start; failures to stop the
  ///   others are suppressed ones of it. Also thrown if the group was started or stopped before
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

  /// Stops what was started, in reverse, each in spite of failures of others. A start under way is
  /// given up as soon as the service that is starting has started. Does nothing when called again.
  ///
  /// @throws IllegalStateException names the services that could not stop, with their failures as
  ///   suppressed ones
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
          new IllegalStateException("Cannot start " + service.name() + ": " + reason(e), e);
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
        log.error("{} failed to stop, after {} ms", service.name(), millisSince(begin), e);
        failures.add(
            new IllegalStateException("Cannot stop " + service.name() + ": " + reason(e), e));
      }
    }
    state = State.STOPPED;
    return failures;
  }

  private static String reason(Throwable e) {
    String message = e.getMessage();
    return message == null ? e.toString() : message;
  }

  private static long millisSince(long begin) {
    return (System.nanoTime() - begin) / 1_000_000;
  }
}
