package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class MailboxTest {
  private static final int SENDERS = 4;
  private static final int PER_SENDER = 200_000;

  @Test
  void refusesRequestsBeforeItIsOpenAndAfterItIsClosed() {
    var mailbox = new Mailbox(8);
    var early = new Ask();
    mailbox.request(early.claim());
    mailbox.open();
    var taken = new Ask();
    mailbox.request(taken.claim());
    mailbox.close("the broker is stopping");
    var late = new Ask();
    mailbox.request(late.claim());

    assertThat(early.refusal).isEqualTo("the broker is starting");
    assertThat(taken.refusal).isNull();
    assertThat(late.refusal).isEqualTo("the broker is stopping");
    assertThat(mailbox.nextRequest()).isNotNull();
    assertThat(mailbox.nextRequest()).isNull();
  }

  @Test
  void h14RequestsBeyondTheBoundAreRefusedAndCommandsAreNot() {
    var mailbox = new Mailbox(8);
    mailbox.open();
    var asks = new ArrayList<Ask>();
    for (int i = 0; i < 9; i++) {
      var ask = new Ask();
      asks.add(ask);
      mailbox.request(ask.claim());
      mailbox.submit(new Command.StoreSizeMeasured(i));
    }

    assertThat(asks.getLast().refusal).contains("too many requests");
    assertThat(asks.subList(0, 8)).allMatch(ask -> ask.refusal == null);
    for (int i = 0; i < 9; i++) {
      assertThat(mailbox.nextCommand()).isEqualTo(new Command.StoreSizeMeasured(i));
    }
  }

  @Test
  void sleepingConsumerMissesNoCommand() throws InterruptedException {
    var mailbox = new Mailbox(8);
    var sum = new AtomicLong();
    var count = new AtomicLong();
    Thread engineThread =
        Thread.ofPlatform()
            .start(() -> {
              while (count.get() < (long) SENDERS * PER_SENDER) {
                Command command = mailbox.nextCommand();
                if (command instanceof Command.StoreSizeMeasured sizeReported) {
                  sum.addAndGet(sizeReported.bytes());
                  count.incrementAndGet();
                } else {
                  mailbox.sleep(Long.MAX_VALUE, true);
                }
              }
            });
    List<Thread> senders = new ArrayList<>();
    for (int sender = 0; sender < SENDERS; sender++) {
      senders.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int i = 1; i <= PER_SENDER; i++) {
                  mailbox.submit(new Command.StoreSizeMeasured(i));
                }
              }));
    }
    for (Thread sender : senders) {
      sender.join();
    }
    engineThread.join();

    assertThat(sum.get()).isEqualTo(SENDERS * (PER_SENDER * (PER_SENDER + 1L) / 2));
  }

  private static final class Ask implements Command.ClaimReply {
    @Nullable String refusal;

    Command.Claim claim() {
      return new Command.Claim(null, null, this);
    }

    @Override
    public void done(@Nullable Delivery delivery) {}

    @Override
    public void unavailable(String why) {
      refusal = why;
    }
  }
}
