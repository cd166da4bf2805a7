package io.taskbroker.client.spring.slice;

import io.taskbroker.client.spring.HandlesTask;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.stereotype.Component;

/// An application of which a test wants the tasks alone.
@SpringBootApplication
class SliceApplication {
  record Receipt(String order) {}

  interface Mailer {
    void send(String text);
  }

  @Component
  static class Receipts {
    private final Mailer mailer;

    Receipts(Mailer mailer) {
      this.mailer = mailer;
    }

    @HandlesTask("send-receipt")
    void send(Receipt receipt) {
      mailer.send("Order " + receipt.order());
    }
  }

  /// Not a part of the slice.
  @Component
  static class Website {
    Website() {
      throw new IllegalStateException("No web server in a test of tasks");
    }
  }
}
