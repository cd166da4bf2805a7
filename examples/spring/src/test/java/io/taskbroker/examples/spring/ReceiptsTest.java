package io.taskbroker.examples.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.verify;

import io.taskbroker.client.TaskClient;
import io.taskbroker.client.spring.test.TaskTest;
import io.taskbroker.client.testing.InlineBroker;
import io.taskbroker.examples.spring.ShopTasks.Receipt;
import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.bean.override.mockito.MockitoBean;

/// The tasks alone, without database and web server.
@TaskTest(Receipts.class)
class ReceiptsTest {
  private static final Receipt RECEIPT =
      new Receipt("4711", "ada@example.org", new BigDecimal("12.50"));

  @Autowired InlineBroker broker;
  @Autowired TaskClient client;
  @MockitoBean Mailer mailer;

  @Test
  void aMailServerThatIsDownGetsTheReceiptLater() {
    broker.failNext(ShopTasks.SEND_RECEIPT, new IllegalStateException("mail server down"));
    client.enqueue(ShopTasks.SEND_RECEIPT, RECEIPT);
    broker.advance(Duration.ofSeconds(2));
    verify(mailer).send("ada@example.org", "Order 4711: 12.50");
  }

  @Test
  void anUnknownAddressIsADeadLetterAtOnce() {
    doThrow(new IllegalArgumentException("unknown")).when(mailer).send(any(), any());
    client.enqueue(ShopTasks.SEND_RECEIPT, RECEIPT);
    assertThat(broker.runDue()).isEqualTo(1);
    assertThat(broker.deadLetters(ShopTasks.SEND_RECEIPT)).containsExactly(RECEIPT);
  }
}
