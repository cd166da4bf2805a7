package io.taskbroker.client.spring.slice;

import io.taskbroker.client.spring.HandlesTask;
import io.taskbroker.client.spring.slice.SliceApplication.Mailer;
import io.taskbroker.client.spring.slice.SliceApplication.Receipt;
import org.springframework.stereotype.Component;

@Component
class Receipts {
  private final Mailer mailer;

  Receipts(Mailer mailer) {
    this.mailer = mailer;
  }

  @HandlesTask("send-receipt")
  void send(Receipt receipt) {
    mailer.send("Order " + receipt.order());
  }
}
