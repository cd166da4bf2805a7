package io.taskbroker.engine;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Model checking of the mailbox: a consumer that goes to sleep misses no sender.
@Tag("concurrency")
@Timeout(300)
final class MailboxLincheckTest {
  private static final long NO_TIME = 0;

  @Test
  void submittedCommandWakesAConsumerThatGoesToSleep() {
    Interleavings.of(() -> {
      var mailbox = shared(mailbox());
      Actor sender =
          start(() -> {
            mailbox.submit(new Command.StoreSizeMeasured(1));
            mailbox.submit(new Command.StoreSizeMeasured(2));
          });
      List<Command> read = new ArrayList<>();
      while (read.size() < 2) {
        Command command = mailbox.nextCommand();
        if (command != null) {
          read.add(command);
        } else {
          mailbox.sleep(NO_TIME, false);
        }
      }
      join(sender);
      check(
          read.equals(List.of(new Command.StoreSizeMeasured(1), new Command.StoreSizeMeasured(2))),
          read);
      check(mailbox.isEmpty(), mailbox.size());
    });
  }

  @Test
  void h14EveryRequestIsReadOnceOrRefusedAndWakesTheConsumer() {
    Interleavings.of(() -> {
      var mailbox = shared(mailbox());
      mailbox.open();
      var asks = List.of(new Ask(), new Ask(), new Ask());
      Actor first = start(() -> asks.subList(0, 2).forEach(ask -> mailbox.request(ask.claim())));
      Actor second = start(() -> mailbox.request(asks.getLast().claim()));
      for (int read = 0; read < 2; ) {
        if (readOne(mailbox)) {
          read++;
        } else {
          mailbox.sleep(NO_TIME, true);
        }
      }
      join(first, second);
      boolean _ = readOne(mailbox);
      for (Ask ask : asks) {
        check(ask.read + ask.refused == 1, ask.read + " times read, refused " + ask.refused);
      }
    });
  }

  /// Senders run rounds while the consumer sleeps: one at a time, and no command is left behind.
  @Test
  void senderRoundsRunOneAtATimeAndProcessEachCommandOnce() {
    Interleavings.of(() -> {
      var mailbox = shared(mailbox());
      var rounds = new Rounds(mailbox);
      mailbox.setCallerRounds(rounds);
      CommandSink working = mailbox.workingIntake();
      Actor first = start(() -> working.submit(new Command.StoreSizeMeasured(1)));
      Actor second =
          start(() -> {
            working.submit(new Command.StoreSizeMeasured(2));
            mailbox.submit(new Command.Drain());
          });
      while (rounds.processed < 3) {
        if (!rounds.follow()) {
          mailbox.sleep(NO_TIME, true);
        }
      }
      join(first, second);
      check(rounds.alone, "two at the helm");
      check(rounds.processed == 3 && mailbox.isEmpty(), rounds.processed);
    });
  }

  /// Consumer of commands, in the engine's thread or in senders.
  private static final class Rounds implements CallerRounds {
    private final Mailbox mailbox;
    private final AtomicBoolean busy = new AtomicBoolean();
    private boolean alone = true;
    private int processed;

    Rounds(Mailbox mailbox) {
      this.mailbox = mailbox;
    }

    boolean follow() {
      alone &= busy.compareAndSet(false, true);
      int before = processed;
      while (mailbox.nextCommand() != null) {
        processed++;
      }
      busy.set(false);
      return processed > before;
    }

    @Override
    public boolean round() {
      follow();
      return processed < 3;
    }

    @Override
    public boolean hasRoom() {
      return true;
    }
  }

  /// Mailbox with queues that the model checker can instrument.
  private static Mailbox mailbox() {
    return new Mailbox(new ConcurrentLinkedQueue<>(), new ArrayBlockingQueue<>(2), new Permit());
  }

  private static boolean readOne(Mailbox mailbox) {
    if (mailbox.nextRequest() instanceof Command.Claim claim) {
      ((Ask) claim.reply()).read++;
      return true;
    }
    return false;
  }

  /// Parking of one thread, without the model checker's spurious returns.
  private static final class Permit implements EngineOwnership.ThreadParking {
    private boolean given;

    @Override
    public synchronized void park(Object blocker, long nanos) {
      try {
        while (!given) {
          wait();
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      given = false;
    }

    @Override
    public synchronized void unpark(Thread thread) {
      given = true;
      notifyAll();
    }
  }

  private static final class Ask implements Command.ClaimReply {
    private int read;
    private int refused;

    Command.Claim claim() {
      return new Command.Claim(null, null, this);
    }

    @Override
    public void done(@Nullable Delivery delivery) {}

    @Override
    public void unavailable(String why) {
      refused++;
    }
  }
}
