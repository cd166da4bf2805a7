package io.taskbroker.examples.comparison;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.scheduling.annotation.Async;

final class WithSpring {
  static class Receipts {
    @Async // lost when the process ends
    public void send(Receipt receipt) {
      receipt.send();
    }

    @KafkaListener(topics = "receipts") // one at a time for a partition
    void receive(Receipt receipt) {
      receipt.send();
    }
  }

  static void enqueue(KafkaTemplate<String, Receipt> kafka, Receipt receipt) {
    var unused = kafka.send("receipts", receipt.order(), receipt);
  }

  private WithSpring() {}
}
