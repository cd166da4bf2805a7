package io.taskbroker.examples.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskOutcome;
import io.taskbroker.client.Worker;
import io.taskbroker.client.testing.TaskBrokerExtension;
import io.taskbroker.client.testing.TestBroker;
import io.taskbroker.examples.shop.ShopTasks.Receipt;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Payloads that only producers and workers can read.
@ExtendWith(TaskBrokerExtension.class)
final class SealedPayloadsTest {
  private static final SecretKey KEY = key(1);

  private static SecretKey key(int seed) {
    byte[] bytes = new byte[32];
    bytes[0] = (byte) seed;
    return new SecretKeySpec(bytes, "AES");
  }

  private static TaskClient connect(String address, SecretKey key) {
    return TaskClient.builder()
        .target(address)
        .compressAbove(10_000)
        .cipher(new AesGcm("key-2026-11", key))
        .build();
  }

  @Test
  void aSealedCallRunsAndItsResultIsReadBack(TestBroker broker) {
    Receipt receipt = new Receipt("4711", "ada@example.org", new BigDecimal("12.50"));
    try (TaskClient client = connect(broker.address(), KEY);
        Worker worker =
            Worker.builder(client)
                .handle(
                    ShopTasks.SEND_RECEIPT, (argument, context) -> context.result(argument.email()))
                .start()) {
      TaskOutcome outcome =
          client
              .enqueue(ShopTasks.SEND_RECEIPT.with(receipt).keepResult())
              .await(Duration.ofSeconds(20));
      assertThat(worker.running()).isNotNegative();
      assertThat(outcome.result(String.class)).contains("ada@example.org");
      assertThat(new String(outcome.encodedResult(), StandardCharsets.ISO_8859_1))
          .doesNotContain("ada");
    }
  }

  @Test
  void anotherKeyDoesNotOpenIt() {
    byte[] sealed = new AesGcm("key-2026-11", KEY).seal(new byte[] {1, 2, 3});
    assertThat(new AesGcm("key-2026-11", KEY).open(sealed)).containsExactly(1, 2, 3);
    assertThatThrownBy(() -> new AesGcm("key-2026-11", key(2)).open(sealed))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("key-2026-11");
    assertThatThrownBy(() -> new AesGcm("key-2026-11", KEY).open(new byte[3]))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
