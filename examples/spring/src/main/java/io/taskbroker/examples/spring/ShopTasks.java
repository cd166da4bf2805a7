package io.taskbroker.examples.spring;

import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.Task;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;

/// Tasks of the shop: the contract between the code that enqueues and the code that runs.
final class ShopTasks {
  record Receipt(String order, String email, BigDecimal total) {}

  record Report(LocalDate day) {}

  static final Task<Receipt> SEND_RECEIPT =
      Task.of("send-receipt", Receipt.class)
          .application("shop")
          .retry(RetryPolicy.exponential(5, Duration.ofSeconds(2), Duration.ofMinutes(5)));

  static final Task<Report> NIGHTLY_REPORT =
      Task.of("nightly-report", Report.class)
          .application("shop")
          .deadline(Duration.ofMinutes(10))
          .retry(RetryPolicy.fixed(3, Duration.ofMinutes(10)));

  private ShopTasks() {}
}
