package io.taskbroker.examples.spring;

import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.spring.HandlesTask;
import io.taskbroker.examples.spring.ShopTasks.Report;
import java.time.Clock;
import java.time.LocalDate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/// The sales of each day. Every instance of the shop asks for the report; the key lets the broker
/// take it once.
@Component
class NightlyReport {
  private final JdbcClient database;
  private final TaskClient tasks;
  private final Clock clock;

  NightlyReport(JdbcClient database, TaskClient tasks, Clock clock) {
    this.database = database;
    this.tasks = tasks;
    this.clock = clock;
  }

  @Scheduled(cron = "0 5 0 * * *")
  void enqueue() {
    LocalDate day = LocalDate.now(clock).minusDays(1);
    tasks.enqueue(
        ShopTasks.NIGHTLY_REPORT.with(new Report(day)).idempotencyKey("nightly-report-" + day));
  }

  @HandlesTask("nightly-report")
  @Transactional
  void make(Report report, TaskContext context) {
    context.progress("counting orders of " + report.day());
    database
        .sql(
            """
            MERGE INTO reports (sold_on, orders, total)
              SELECT :day, count(*), coalesce(sum(total), 0) FROM orders WHERE placed = :day
            """)
        .param("day", report.day())
        .update();
  }
}
