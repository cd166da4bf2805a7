package io.taskbroker.client.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.client.FinalFailureException;
import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskHandle;
import io.taskbroker.client.TaskOutcome;
import io.taskbroker.client.TaskState;
import io.taskbroker.client.TaskTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// What a test can drive and see.
@ExtendWith(TaskBrokerExtension.class)
final class InlineBrokerTest {
  record Mail(String to) {}

  private static final Task<Mail> SEND =
      Task.of("send", Mail.class)
          .retry(RetryPolicy.exponential(3, Duration.ofSeconds(10), Duration.ofSeconds(15)));

  private final List<String> sent = new ArrayList<>();

  @Test
  void nothingRunsBeforeTheTestSaysSo(InlineBroker broker) {
    broker.handle(SEND, mail -> sent.add(mail.to()));
    broker.client().enqueue(SEND, new Mail("a"));
    broker.client().enqueue(SEND, new Mail("b"));
    assertThat(broker.enqueued(SEND)).containsExactly(new Mail("a"), new Mail("b"));
    assertThat(sent).isEmpty();
    assertThat(broker.runDue()).isEqualTo(2);
    assertThat(sent).containsExactly("a", "b");
  }

  @Test
  void eachTestHasABrokerOfItsOwn(InlineBroker broker) {
    assertThat(broker.enqueuedCalls()).isZero();
  }

  @Test
  void retriesFollowThePolicyUnderTheClock(InlineBroker broker) {
    List<Instant> attempts = new ArrayList<>();
    broker.handle(
        SEND,
        (mail, context) -> {
          attempts.add(broker.clock().instant());
          throw new IllegalStateException("down");
        });
    Instant start = broker.clock().instant();
    TaskHandle handle = broker.client().enqueue(SEND, new Mail("a"));
    assertThat(broker.advance(Duration.ofMinutes(1))).isEqualTo(3);
    assertThat(attempts).containsExactly(start, start.plusSeconds(10), start.plusSeconds(25));
    assertThat(handle.outcome().orElseThrow().kind()).isEqualTo(TaskOutcome.Kind.FAILED);
    assertThat(broker.deadLetters(SEND)).containsExactly(new Mail("a"));
    assertThat(broker.clock().instant()).isEqualTo(start.plusSeconds(60));
  }

  @Test
  void failuresAreDriven(InlineBroker broker) {
    broker.handle(SEND, mail -> sent.add(mail.to()));
    broker.failNext(SEND, new IllegalStateException("once"));
    TaskHandle handle = broker.client().enqueue(SEND, new Mail("a"));
    broker.runDue();
    assertThat(sent).isEmpty();
    assertThat(handle.state()).isEqualTo(TaskState.DELAYED);
    assertThat(handle.await(Duration.ofMinutes(1)).orThrow().kind())
        .isEqualTo(TaskOutcome.Kind.COMPLETED);
    assertThat(sent).containsExactly("a");
    broker.failNext(SEND, new FinalFailureException("never"));
    broker.client().enqueue(SEND, new Mail("b"));
    broker.runDue();
    assertThat(broker.deadLetters(SEND)).containsExactly(new Mail("b"));
  }

  @Test
  void delayedCallsWaitForTheClock(InlineBroker broker) {
    broker.handle(SEND, mail -> sent.add(mail.to()));
    TaskHandle handle =
        broker.client().enqueue(SEND.with(new Mail("a")).delay(Duration.ofMillis(90_500)));
    assertThat(broker.advance(Duration.ofSeconds(90))).isZero();
    assertThatThrownBy(() -> handle.await(Duration.ofMillis(1)))
        .isInstanceOf(TaskTimeoutException.class);
    assertThat(broker.advance(Duration.ofSeconds(1))).isEqualTo(1);
  }

  @Test
  void keysCancellationAndExpiryWork(InlineBroker broker) {
    broker.handle(SEND, mail -> sent.add(mail.to()));
    var client = broker.client();
    TaskHandle first = client.enqueue(SEND.with(new Mail("a")).idempotencyKey("k"));
    assertThat(client.enqueue(SEND.with(new Mail("a")).idempotencyKey("k")).isNew()).isFalse();
    assertThat(first.cancel()).isEqualTo(TaskState.ENDED);
    Task<Mail> brief = SEND.expiresAfter(Duration.ofSeconds(5));
    TaskHandle expired = client.enqueue(brief.with(new Mail("b")).delay(Duration.ofSeconds(10)));
    broker.advance(Duration.ofMinutes(1));
    assertThat(sent).isEmpty();
    assertThat(expired.outcome().orElseThrow().kind()).isEqualTo(TaskOutcome.Kind.EXPIRED);
  }

  @Test
  void tasksMayEnqueueTasksAndReturnResults(InlineBroker broker) {
    Task<Integer> countdown = Task.of("countdown", Integer.class);
    broker
        .runsAtOnce()
        .handle(
            countdown,
            (left, context) -> {
              if (left > 0) {
                broker.client().enqueue(countdown, left - 1);
              }
              context.result(left);
            });
    TaskHandle handle = broker.client().enqueue(countdown.with(3).keepResult());
    assertThat(broker.enqueued(countdown)).containsExactly(3, 2, 1, 0);
    assertThat(handle.outcome().orElseThrow().result(Integer.class)).contains(3);
  }
}
