package io.taskbroker.testkit;

/// Has a client give up its late calls every half second, for as long as its wheel turns.
final class Patience extends TimerWheel.Timer {
  private static final long PERIOD_MILLIS = 500;

  private final TimerWheel wheel;
  private final BrokerClient broker;

  Patience(TimerWheel wheel, BrokerClient broker) {
    this.wheel = wheel;
    this.broker = broker;
  }

  void begin() {
    wheel.schedule(this, PERIOD_MILLIS);
  }

  @Override
  void fire() {
    broker.giveUp();
    begin();
  }
}
