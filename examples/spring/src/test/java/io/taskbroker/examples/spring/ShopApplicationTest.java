package io.taskbroker.examples.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.Mockito.verify;

import io.taskbroker.client.outbox.OutboxDatabase;
import io.taskbroker.client.outbox.OutboxRelay;
import io.taskbroker.client.spring.test.AutoConfigureInlineBroker;
import io.taskbroker.client.testing.InlineBroker;
import io.taskbroker.examples.spring.Orders.Order;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.bean.override.mockito.MockitoBean;

/// The whole application, with tasks that run when the test says so.
@SpringBootTest(properties = "spring.datasource.url=jdbc:h2:mem:inline;DB_CLOSE_DELAY=-1")
@AutoConfigureInlineBroker
class ShopApplicationTest {
  private static final Instant NIGHT = Instant.parse("2026-11-30T00:05:00Z");

  @TestConfiguration(proxyBeanMethods = false)
  static class Time {
    @Bean
    @Primary
    Clock night() {
      return Clock.fixed(NIGHT, ZoneOffset.UTC);
    }
  }

  @Autowired InlineBroker broker;
  @Autowired Orders orders;
  @Autowired NightlyReport report;
  @Autowired JdbcClient database;
  @Autowired DataSource source;
  @MockitoBean Mailer mailer;

  @Test
  void anOrderThatIsRolledBackGetsNoReceipt() {
    Order order = new Order("4711", "ada@example.org", new BigDecimal("12.50"));
    orders.place(order);
    assertThatThrownBy(() -> orders.place(order)).isInstanceOf(DuplicateKeyException.class);
    OutboxRelay.sendAll(source, OutboxDatabase.H2, broker.client());
    assertThat(broker.runDue()).isEqualTo(1);
    verify(mailer).send("ada@example.org", "Order 4711: 12.50");
  }

  @Test
  void eachDayIsReportedOnce() {
    database
        .sql("INSERT INTO orders VALUES ('1', 'a@example.org', 3, '2026-11-29')")
        .update();
    report.enqueue();
    report.enqueue();
    assertThat(broker.runDue()).isEqualTo(1);
    assertThat(database.sql("SELECT sold_on, orders FROM reports").query().singleRow())
        .isEqualTo(
            Map.of("SOLD_ON", java.sql.Date.valueOf(LocalDate.of(2026, 11, 29)), "ORDERS", 1));
  }
}
