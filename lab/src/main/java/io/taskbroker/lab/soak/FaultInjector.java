package io.taskbroker.lab.soak;

import io.taskbroker.lab.soak.FaultPlan.Planned;
import io.taskbroker.testkit.BadCaller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Injector of faults, one after the other, with a record of their times. Owned by one thread; the
/// current fault may be read by any.
final class FaultInjector {
  private static final int BAD_MESSAGES = 25;
  private static final int BAD_CALLS = 90;

  /// Targets of the faults.
  record Victims(
      SoakSetting setting,
      RestartableBroker broker,
      RestartableKafka kafka,
      WorkerPools pools,
      SoakPublisher publisher) {}

  private final Victims victims;
  private final Runs clock;
  private final CountDownLatch stop;
  private final BadMessages badMessages;
  private final List<Incident> incidents = new ArrayList<>();
  private int sentBadMessages;
  private int badCalls;
  private volatile String current = "";

  FaultInjector(Victims victims, Runs clock, CountDownLatch stop, long seed) {
    this.victims = victims;
    this.clock = clock;
    this.stop = stop;
    badMessages = new BadMessages(seed);
  }

  /// Injects a fault; returns once it is over and the broker serves again.
  void inject(Planned fault) throws InterruptedException {
    long begin = clock.now();
    Optional<Application> application =
        fault.kind() == FaultKind.WORKERS_GONE ? Optional.of(victim(fault)) : Optional.empty();
    current = fault.kind() + application.map(a -> " of " + a).orElse("");
    try {
      act(fault, application);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not inject " + fault.kind() + "", e);
    } finally {
      current = "";
      incidents.add(new Incident(fault.kind(), application, begin, clock.now()));
    }
  }

  private static Application victim(Planned fault) {
    List<Application> all = List.of(Application.values());
    return all.get(fault.draw() % all.size());
  }

  private void act(Planned fault, Optional<Application> application)
      throws IOException, InterruptedException {
    RestartableBroker broker = victims.broker();
    switch (fault.kind()) {
      case KILL -> {
        broker.kill();
        pause(fault.lasting());
        broker.start();
        broker.awaitServing();
      }
      case KILL_TWICE -> {
        broker.kill();
        broker.start();
        pause(Duration.ofMillis(200 + fault.draw() % 1_800));
        broker.kill();
        pause(fault.lasting());
        broker.start();
        broker.awaitServing();
      }
      case TERM -> {
        broker.stop();
        pause(fault.lasting());
        broker.start();
        broker.awaitServing();
      }
      case KILL_IN_OUTAGE -> {
        victims.kafka().stop();
        pause(fault.lasting().dividedBy(2));
        broker.kill();
        broker.start();
        broker.awaitServing();
        pause(fault.lasting().dividedBy(2));
        victims.kafka().start();
      }
      case FREEZE -> {
        broker.freeze();
        pause(fault.lasting());
        broker.thaw();
      }
      case WORKERS_GONE -> {
        application.ifPresent(victims.pools()::kill);
        application.ifPresent(clock::workersDied);
        pause(fault.lasting());
        application.ifPresent(victims.pools()::start);
      }
      case KAFKA_GONE -> {
        victims.kafka().stop();
        pause(fault.lasting());
        victims.kafka().start();
      }
      case BAD_MESSAGES -> {
        for (int i = 0; i < BAD_MESSAGES; i++) {
          victims.publisher().send(SoakSetting.TASKS, badMessages.next());
          sentBadMessages++;
        }
      }
      case BAD_CALLS ->
          badCalls += new BadCaller(victims.setting().brokerPort(), fault.draw()).call(BAD_CALLS);
      case RULES -> {
        victims.setting().beginRules();
        pause(fault.lasting());
        victims.setting().breakRules();
        pause(fault.lasting().dividedBy(4));
        victims.setting().endRules();
      }
    }
  }

  private void pause(Duration time) throws InterruptedException {
    // An interrupt of the soak ends the pause, so that everything is restored first.
    var _ = stop.await(time.toMillis(), TimeUnit.MILLISECONDS);
  }

  /// The current fault; empty if there is none.
  String current() {
    return current;
  }

  List<Incident> incidents() {
    return List.copyOf(incidents);
  }

  int sentBadMessages() {
    return sentBadMessages;
  }

  int badCalls() {
    return badCalls;
  }
}
