package io.taskbroker.examples.spring;

import io.taskbroker.client.spring.TransactionalTasks;
import io.taskbroker.examples.spring.ShopTasks.Receipt;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.LocalDate;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/// Orders: each is stored, and its receipt enqueued, or neither.
@RestController
class Orders {
  record Order(String number, String email, BigDecimal total) {}

  private final JdbcClient database;
  private final TransactionalTasks tasks;
  private final Clock clock;

  Orders(JdbcClient database, TransactionalTasks tasks, Clock clock) {
    this.database = database;
    this.tasks = tasks;
    this.clock = clock;
  }

  @PostMapping("/orders")
  @ResponseStatus(HttpStatus.CREATED)
  @Transactional
  void place(@RequestBody Order order) {
    tasks.enqueue(
        ShopTasks.SEND_RECEIPT, new Receipt(order.number(), order.email(), order.total()));
    database
        .sql("INSERT INTO orders (number, email, total, placed) VALUES (?, ?, ?, ?)")
        .params(order.number(), order.email(), order.total(), LocalDate.now(clock))
        .update();
  }
}
