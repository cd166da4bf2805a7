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

/// Thread that renews the lease of a store and receives remote reports. It blocks on notifications
/// from the server and sends only renewals (H3, H11).
///
/// The announced lease ends earlier than the one in the database: Kafka may assign the partitions
/// of a paused broker to others before that, and they need not wait for its end. If a renewal was
/// late by the clock of the server or by either clock of this machine, the broker was paused: it
/// hands out nothing until its ownership is proven.
final class LeaseKeeper implements Service, LoopThread.Loop {
  static final String NAME = "lease-keeper";

  private static final Logger LOG = LoggerFactory.getLogger(LeaseKeeper.class);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(4);

  private final PostgresStore store;
  private final MemberSlot memberSlot;
  private final PostgresStore.Listener listener;
  private final InstantSource clock = InstantSource.system();
  private final long leaseNanos;
  private final LoopThread thread;
  private final Backoff backoff =
      new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1), RandomGenerator.getDefault());
  private final Outage outage = new Outage(Ticker.SYSTEM);

  // Confined to the thread.
  private long renewAtNanos = System.nanoTime();
  private long announcedUntilNanos = renewAtNanos;
  private long leasedSinceNanos = renewAtNanos;
  private long announcedUntilWallMillis = Long.MIN_VALUE;
  private boolean isOwnershipProven; // every partition is still owned by this epoch
  private boolean mayMissReports = true;

  LeaseKeeper(
      PostgresStore store,
      MemberSlot memberSlot,
      Duration lease,
      PostgresStore.Listener listener,
      FailureSink failures) {
    this.store = store;
    this.memberSlot = memberSlot;
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
      LOG.warn("The lease thread did not stop in time; the lease expires by itself");
    }
  }

  /// Wakes the thread by a notification, so that it stops.
  @Override
  public void wake(Thread sleeper) {
    sleeper.interrupt();
    Thread.startVirtualThread(store::wakeLeaseKeeper);
  }

  @Override
  public void turn() throws InterruptedException {
    try {
      Connection connection = memberSlot.connection();
      if (renewAtNanos - System.nanoTime() <= 0) {
        renew();
      }
      readMissedReports();
      long wait = TimeUnit.NANOSECONDS.toMillis(renewAtNanos - System.nanoTime()) + 1;
      PGNotification[] received =
          connection.unwrap(PGConnection.class).getNotifications((int) Math.max(1, wait));
      handle(received);
      connectionRecovered();
    } catch (SQLException e) {
      connectionFailed(e);
    }
  }

  private void renew() throws SQLException {
    long sent = System.nanoTime();
    long sentWall = clock.millis();
    MemberSlot.Renewal renewal =
        memberSlot.renew(TimeUnit.NANOSECONDS.toMillis(leaseNanos), store.bytes());
    store.setBytesOfOthers(renewal.bytesOfOthers());
    if (renewal.hadLapsed()
        || sent - announcedUntilNanos > 0
        || sentWall > announcedUntilWallMillis) {
      isOwnershipProven = false;
      if (renewal.hadLapsed() || announcedUntilWallMillis != Long.MIN_VALUE) { // not the first one
        leasedSinceNanos = sent;
      }
    }
    store.leased(new PostgresStore.Lease(leasedSinceNanos, sent + leaseNanos - leasedSinceNanos));
    if (!isOwnershipProven) {
      isOwnershipProven = store.proveOwnership(listener);
    }
    if (isOwnershipProven) {
      readMissedReports(); // before a delivery of what they are about
      announcedUntilNanos = sent + leaseNanos / 2;
      announcedUntilWallMillis = sentWall + TimeUnit.NANOSECONDS.toMillis(leaseNanos / 2);
      listener.leased(announcedUntilNanos, announcedUntilWallMillis);
      renewAtNanos = sent + leaseNanos / 5;
    } else {
      renewAtNanos = sent + leaseNanos / 100;
    }
  }

  private void readMissedReports() throws SQLException {
    if (mayMissReports) {
      mayMissReports = false;
      deliver(store.missedReports());
    }
  }

  private void handle(PGNotification[] received) throws SQLException {
    if (received == null || received.length == 0) {
      return;
    }
    List<RemoteReport> reports = new ArrayList<>();
    for (PGNotification notification : received) {
      if (notification.getParameter().isEmpty()) {
        mayMissReports = true;
      } else {
        reports.addAll(store.reportsOfNotification(notification.getParameter()));
      }
    }
    deliver(reports);
  }

  private void deliver(List<RemoteReport> reports) {
    if (!reports.isEmpty()) {
      listener.reported(reports);
    }
  }

  private void connectionRecovered() {
    if (outage.failures() > 0) {
      LOG.info("Reconnected after {} ms; renewing the lease again", outage.millis());
      outage.over();
      backoff.reset();
    }
  }

  private void connectionFailed(SQLException e) throws InterruptedException {
    memberSlot.discardConnection();
    mayMissReports = true;
    if (outage.failed()) {
      LOG.warn("Could not renew the lease; retrying: {}", e.getMessage());
    }
    LockSupport.parkNanos(backoff.nextNanos());
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }
}
