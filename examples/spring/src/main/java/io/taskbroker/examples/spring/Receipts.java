package io.taskbroker.examples.spring;

import io.taskbroker.client.FinalFailureException;
import io.taskbroker.client.spring.HandlesTask;
import io.taskbroker.examples.spring.ShopTasks.Receipt;
import org.springframework.stereotype.Component;

@Component
class Receipts {
  private final Mailer mailer;

  Receipts(Mailer mailer) {
    this.mailer = mailer;
  }

  @HandlesTask("send-receipt")
  void send(Receipt receipt) {
    try {
      mailer.send(receipt.email(), "Order " + receipt.order() + ": " + receipt.total());
    } catch (IllegalArgumentException e) {
      throw new FinalFailureException("No such address: " + receipt.email(), e);
    }
  }
}
