package io.taskbroker.testkit;

/// Timer that cancels the overdue calls of a client every half second, as long as its wheel turns.
final class CallTimeouts extends TimerWheel.Timer {
  private static final long PERIOD_MILLIS = 500;

  private final TimerWheel wheel;
  private final BrokerClient broker;

  CallTimeouts(TimerWheel wheel, BrokerClient broker) {
    this.wheel = wheel;
    this.broker = broker;
  }

  void start() {
    wheel.schedule(this, PERIOD_MILLIS);
  }

  @Override
  void fire() {
    broker.cancelOverdue();
    start();
  }
}
