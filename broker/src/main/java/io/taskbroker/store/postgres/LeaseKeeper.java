package io.taskbroker.store.postgres;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.runtime.Backoff;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Outage;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.Ticker;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The thread that keeps the lease of a store, and hears of what was reported to other brokers: it
/// waits for the server to speak, and asks nothing but for the lease (H3, H11).
///
/// What it tells of ends earlier than the lease in the database: Kafka may give the partitions of a
/// broker that stands still to others before that, and they need not wait for its end. Where it was
/// not renewed in time, by the clock of the server or either clock of this machine, the broker
/// stood still, and nothing is handed out before it is known what is its own still.
final class LeaseKeeper implements Service, LoopThread.Loop {
  static final String NAME = "lease-keeper";

  private static final Logger LOG = LoggerFactory.getLogger(LeaseKeeper.class);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(4);

  private final PostgresStore store;
  private final MemberSlot seat;
  private final PostgresStore.Listener listener;
  private final InstantSource clock = InstantSource.system();
  private final long leaseNanos;
  private final LoopThread thread;
  private final Backoff backoff =
      new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1), RandomGenerator.getDefault());
  private final Outage outage = new Outage(Ticker.SYSTEM);

  // The thread's only.
  private long renewAt = System.nanoTime();
  private long toldUntil = renewAt;
  private long toldWallUntil = Long.MIN_VALUE;
  private boolean proven; // that the places are this broker's still
  private boolean behind = true; // reports may have been missed

  LeaseKeeper(
      PostgresStore store,
      MemberSlot seat,
      Duration lease,
      PostgresStore.Listener listener,
      FailureSink failures) {
    this.store = store;
    this.seat = seat;
    this.listener = listener;
    this.leaseNanos = lease.toNanos();
    this.thread = new LoopThread(NAME, this, failures);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    if (!thread.stop(STOP_TIMEOUT)) {
      LOG.warn("The lease is still being renewed, and ends by itself");
    }
  }

  /// Has the server say something, so that the thread hears that it is to stop.
  @Override
  public void wake(Thread sleeper) {
    sleeper.interrupt();
    Thread.startVirtualThread(store::wakeWatch);
  }

  @Override
  public void turn() throws InterruptedException {
    try {
      Connection connection = seat.connection();
      if (renewAt - System.nanoTime() <= 0) {
        renew();
      }
      if (behind) {
        behind = false;
        tell(store.missedReports());
      }
      long wait = TimeUnit.NANOSECONDS.toMillis(renewAt - System.nanoTime()) + 1;
      PGNotification[] heard =
          connection.unwrap(PGConnection.class).getNotifications((int) Math.max(1, wait));
      tell(heard);
      recovered();
    } catch (SQLException e) {
      failed(e);
    }
  }

  private void renew() throws SQLException {
    long sent = System.nanoTime();
    long sentWall = clock.millis();
    MemberSlot.Renewal renewal =
        seat.renew(TimeUnit.NANOSECONDS.toMillis(leaseNanos), store.bytes());
    store.othersHave(renewal.bytesOfOthers());
    if (renewal.hadEnded() || sent - toldUntil > 0 || sentWall > toldWallUntil) {
      proven = false;
    }
    if (!proven) {
      proven = store.proveOwnership(listener);
    }
    if (proven) {
      toldUntil = sent + leaseNanos / 2;
      toldWallUntil = sentWall + TimeUnit.NANOSECONDS.toMillis(leaseNanos / 2);
      listener.leased(toldUntil, toldWallUntil);
      renewAt = sent + leaseNanos / 5;
    } else {
      renewAt = sent + leaseNanos / 100;
    }
  }

  private void tell(PGNotification[] heard) throws SQLException {
    if (heard == null || heard.length == 0) {
      return;
    }
    List<RemoteReport> reports = new ArrayList<>();
    for (PGNotification notification : heard) {
      if (notification.getParameter().isEmpty()) {
        behind = true;
      } else {
        reports.addAll(store.heard(notification.getParameter()));
      }
    }
    tell(reports);
  }

  private void tell(List<RemoteReport> reports) {
    if (!reports.isEmpty()) {
      listener.reported(reports);
    }
  }

  private void recovered() {
    if (outage.failures() > 0) {
      LOG.info("The connection of the lease works again after {} ms", outage.millis());
      outage.over();
      backoff.reset();
    }
  }

  private void failed(SQLException e) throws InterruptedException {
    seat.lost();
    behind = true;
    if (outage.failed()) {
      LOG.warn("Could not keep the lease, and goes on trying: {}", e.getMessage());
    }
    LockSupport.parkNanos(backoff.nextNanos());
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }
}
