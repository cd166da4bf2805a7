package io.taskbroker.examples.shop;

import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.Task;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;

/// Tasks of the shop: the contract between the code that enqueues and the code that runs.
final class ShopTasks {
  record Receipt(String order, String email, BigDecimal total) {}

  record Report(LocalDate day) {}

  record Payment(String order, BigDecimal amount) {}

  static final Task<Receipt> SEND_RECEIPT =
      Task.of("send-receipt", Receipt.class)
          .retry(RetryPolicy.exponential(5, Duration.ofSeconds(2), Duration.ofMinutes(5)));

  static final Task<Report> NIGHTLY_REPORT =
      Task.of("nightly-report", Report.class)
          .deadline(Duration.ofMinutes(1))
          .retry(RetryPolicy.fixed(3, Duration.ofMinutes(10)));

  static final Task<Payment> CHARGE =
      Task.of("charge", Payment.class).atMostOnce().retry(RetryPolicy.none());

  private ShopTasks() {}
}
