package io.taskbroker.examples.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.client.TaskHandle;
import io.taskbroker.client.outbox.Outbox;
import io.taskbroker.client.outbox.OutboxDatabase;
import io.taskbroker.client.outbox.OutboxRelay;
import io.taskbroker.client.testing.InlineBroker;
import io.taskbroker.client.testing.TaskBrokerExtension;
import io.taskbroker.examples.shop.Shop.Order;
import io.taskbroker.examples.shop.ShopTasks.Receipt;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// How an application tests its tasks.
@ExtendWith(TaskBrokerExtension.class)
final class ShopTest {
  private static final Order ORDER = new Order("4711", "ada@example.org", new BigDecimal("12.50"));

  private final JdbcDataSource database = new JdbcDataSource();
  private final List<String> mails = new ArrayList<>();

  @BeforeEach
  void createTables() throws SQLException {
    database.setURL("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
    try (Connection connection = database.getConnection()) {
      OutboxDatabase.H2.createTables(connection);
      connection
          .createStatement()
          .execute(
              "CREATE TABLE orders (number VARCHAR(20) PRIMARY KEY, email VARCHAR(99), total"
                  + " DECIMAL(9, 2))");
    }
  }

  private Shop shop(InlineBroker broker, Mailer mailer) {
    Outbox outbox = new Outbox(broker.client(), OutboxDatabase.H2);
    Shop shop = new Shop(database, broker.client(), outbox, mailer);
    broker
        .handle(ShopTasks.SEND_RECEIPT, shop::sendReceipt)
        .handle(ShopTasks.NIGHTLY_REPORT, shop::makeReport);
    return shop;
  }

  @Test
  void anOrderGetsOneReceipt(InlineBroker broker) throws Exception {
    Shop shop = shop(broker, (email, text) -> mails.add(email + ": " + text));
    shop.checkout(ORDER);
    assertThatThrownBy(() -> shop.checkout(ORDER)).isInstanceOf(SQLException.class);
    OutboxRelay.sendAll(database, OutboxDatabase.H2, broker.client());
    assertThat(broker.enqueued(ShopTasks.SEND_RECEIPT))
        .containsExactly(new Receipt("4711", "ada@example.org", new BigDecimal("12.50")));
    broker.runDue();
    assertThat(mails).containsExactly("ada@example.org: Order 4711: 12.50");
  }

  @Test
  void aMailServerThatIsDownGetsTheReceiptLater(InlineBroker broker) throws Exception {
    List<Boolean> down = new ArrayList<>(List.of(true, true));
    Shop shop =
        shop(
            broker,
            (email, text) -> {
              if (!down.isEmpty() && down.removeLast()) {
                throw new Mailer.MailDown();
              }
              mails.add(text);
            });
    shop.checkout(ORDER);
    OutboxRelay.sendAll(database, OutboxDatabase.H2, broker.client());
    assertThat(broker.runDue()).isEqualTo(1);
    assertThat(broker.advance(Duration.ofSeconds(6))).isEqualTo(2);
    assertThat(mails).hasSize(1);
  }

  @Test
  void anUnknownAddressIsADeadLetterAtOnce(InlineBroker broker) throws Exception {
    Shop shop =
        shop(
            broker,
            (email, text) -> {
              throw new Mailer.UnknownAddress();
            });
    shop.checkout(ORDER);
    OutboxRelay.sendAll(database, OutboxDatabase.H2, broker.client());
    assertThat(broker.advance(Duration.ofHours(1))).isEqualTo(1);
    assertThat(broker.deadLetters(ShopTasks.SEND_RECEIPT)).hasSize(1);
  }

  @Test
  void aReminderComesOnceAfterTwoWeeks(InlineBroker broker) {
    Shop shop = shop(broker, (email, text) -> mails.add(text));
    shop.remind(ORDER);
    assertThat(shop.remind(ORDER).isNew()).isFalse();
    broker.advance(Duration.ofDays(13));
    assertThat(mails).isEmpty();
    broker.advance(Duration.ofDays(1));
    assertThat(mails).hasSize(1);
  }

  @Test
  void reportsAreMade(InlineBroker broker) throws Exception {
    Shop shop = shop(broker, (email, text) -> mails.add(text));
    shop.checkout(ORDER);
    List<TaskHandle> reports = shop.reports(LocalDate.of(2026, 1, 1), 3);
    assertThat(broker.runDue()).isEqualTo(3);
    assertThat(reports.getFirst().progress()).isEqualTo("1 orders of 2026-01-01");
  }
}
