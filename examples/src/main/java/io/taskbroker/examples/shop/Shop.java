package io.taskbroker.examples.shop;

import io.taskbroker.client.FinalFailureException;
import io.taskbroker.client.TaskCall;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.TaskHandle;
import io.taskbroker.client.Worker;
import io.taskbroker.client.outbox.Outbox;
import io.taskbroker.examples.shop.ShopTasks.Receipt;
import io.taskbroker.examples.shop.ShopTasks.Report;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/// A shop: orders are stored and receipts enqueued in one transaction, and a report is made.
final class Shop {
  record Order(String number, String email, BigDecimal total) {}

  private final DataSource database;
  private final TaskClient client;
  private final Outbox outbox;
  private final Mailer mailer;

  Shop(DataSource database, TaskClient client, Outbox outbox, Mailer mailer) {
    this.database = database;
    this.client = client;
    this.outbox = outbox;
    this.mailer = mailer;
  }

  void checkout(Order order) throws SQLException {
    try (Connection connection = database.getConnection()) {
      connection.setAutoCommit(false);
      insert(connection, order);
      Receipt receipt = new Receipt(order.number(), order.email(), order.total());
      outbox.enqueue(connection, ShopTasks.SEND_RECEIPT.with(receipt));
      connection.commit();
    }
  }

  private static void insert(Connection connection, Order order) throws SQLException {
    try (var insert = connection.prepareStatement("INSERT INTO orders VALUES (?, ?, ?)")) {
      insert.setString(1, order.number());
      insert.setString(2, order.email());
      insert.setBigDecimal(3, order.total());
      insert.executeUpdate();
    }
  }

  TaskHandle remind(Order order) {
    Receipt receipt = new Receipt(order.number(), order.email(), order.total());
    return client.enqueue(
        ShopTasks.SEND_RECEIPT
            .with(receipt)
            .delay(Duration.ofDays(14))
            .idempotencyKey("reminder-" + order.number()));
  }

  List<TaskHandle> reports(LocalDate from, int days) {
    List<TaskCall<Report>> calls = new ArrayList<>();
    for (int i = 0; i < days; i++) {
      calls.add(ShopTasks.NIGHTLY_REPORT.with(new Report(from.plusDays(i))));
    }
    return client.enqueueAll(calls);
  }

  void sendReceipt(Receipt receipt) throws Mailer.MailDown {
    try {
      mailer.send(receipt.email(), "Order " + receipt.order() + ": " + receipt.total());
    } catch (Mailer.UnknownAddress e) {
      throw new FinalFailureException("No such address: " + receipt.email(), e);
    }
  }

  void makeReport(Report report, TaskContext context) throws SQLException {
    BigDecimal total = BigDecimal.ZERO;
    int orders = 0;
    try (Connection connection = database.getConnection();
        var statement = connection.createStatement();
        var rows = statement.executeQuery("SELECT total FROM orders")) {
      while (rows.next()) {
        context.cancellation().throwIfRequested();
        total = total.add(rows.getBigDecimal(1));
        orders++;
        context.progress(orders + " orders of " + report.day());
      }
    }
    context.result(total);
  }

  Worker startWorker() {
    return Worker.builder(client)
        .handle(ShopTasks.SEND_RECEIPT, this::sendReceipt)
        .handle(ShopTasks.NIGHTLY_REPORT, this::makeReport)
        .slots(50)
        .stopTimeout(Duration.ofSeconds(20))
        .start();
  }
}
