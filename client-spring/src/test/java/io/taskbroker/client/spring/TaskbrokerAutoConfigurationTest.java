package io.taskbroker.client.spring;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.testing.TestBroker;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// A Spring application with tasks, against the real broker.
@Timeout(240)
final class TaskbrokerAutoConfigurationTest {
  record Receipt(String order) {}

  private static final Task<Receipt> SEND = Task.of("send-receipt", Receipt.class);
  private static final BlockingQueue<String> SENT = new LinkedBlockingQueue<>();

  private static final TestBroker BROKER = TestBroker.start();

  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(AutoConfigurations.of(TaskbrokerAutoConfiguration.class))
          .withPropertyValues(
              "taskbroker.targets=" + BROKER.address(), "taskbroker.worker.slots=7");

  static class Receipts {
    @HandlesTask("send-receipt")
    void send(Receipt receipt, TaskContext context) {
      SENT.add(receipt.order() + " " + context.attempt());
    }
  }

  @Configuration(proxyBeanMethods = false)
  static class Database {
    @Bean
    DataSource dataSource() {
      var source = new JdbcDataSource();
      source.setURL("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
      return source;
    }

    @Bean
    PlatformTransactionManager transactionManager(DataSource source) {
      return new DataSourceTransactionManager(source);
    }
  }

  @AfterAll
  static void stopBroker() {
    BROKER.close();
  }

  private static String next() throws InterruptedException {
    String next = SENT.poll(60, TimeUnit.SECONDS);
    assertThat(next).isNotNull();
    return next;
  }

  @Test
  void methodsRunTasksAndHealthSeesTheWorker() {
    runner
        .withBean(Receipts.class)
        .run(context -> {
          context.getBean(TaskClient.class).enqueue(SEND, new Receipt("4711"));
          assertThat(next()).isEqualTo("4711 1");
          var health = context.getBean(HealthIndicator.class).health();
          assertThat(requireNonNull(health).getStatus()).isEqualTo(Status.UP);
          assertThat(requireNonNull(health).getDetails()).containsEntry("slots", 7);
        });
  }

  @Test
  void callsAreEnqueuedExactlyIfTheTransactionCommits() {
    runner
        .withBean(Receipts.class)
        .withUserConfiguration(Database.class)
        .withPropertyValues("taskbroker.outbox.enabled=true")
        .run(context -> {
          var tasks = context.getBean(TransactionalTasks.class);
          var transaction =
              new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
          transaction.executeWithoutResult(status -> {
            tasks.enqueue(SEND, new Receipt("rolled-back"));
            status.setRollbackOnly();
          });
          transaction.executeWithoutResult(status -> tasks.enqueue(SEND, new Receipt("committed")));
          assertThat(next()).isEqualTo("committed 1");
          assertThatThrownBy(() -> tasks.enqueue(SEND, new Receipt("none")))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("@Transactional");
        });
  }

  @Test
  void metricsGoToTheRegistryOfTheApplication() {
    runner
        .withBean(Receipts.class)
        .withBean(SimpleMeterRegistry.class)
        .run(context -> {
          context.getBean(TaskClient.class).enqueue(SEND, new Receipt("counted"));
          assertThat(next()).isEqualTo("counted 1");
          var registry = context.getBean(SimpleMeterRegistry.class);
          assertThat(registry.get("taskbroker.worker.slots").gauge().value()).isEqualTo(7);
          await()
              .atMost(Duration.ofSeconds(60))
              .until(() -> registry.find("taskbroker.worker.attempt").timer() != null);
        });
  }

  @Test
  void withoutMethodsThereIsNoWorker() {
    runner.run(context -> {
      assertThat(context.getBean(WorkerLifecycle.class).isRunning()).isFalse();
      assertThat(context).hasSingleBean(TaskClient.class);
    });
    runner
        .withPropertyValues("taskbroker.worker.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(WorkerLifecycle.class));
  }

  @Test
  void theEndpointShowsTheWorker() {
    runner
        .withBean(Receipts.class)
        .run(context -> {
          context.getBean(TaskClient.class).enqueue(SEND, new Receipt("seen"));
          assertThat(next()).isEqualTo("seen 1");
          var endpoint = context.getBean(TaskbrokerEndpoint.class);
          await()
              .atMost(Duration.ofSeconds(60))
              .until(() -> requireNonNull(endpoint.worker()).counts().completed() == 1);
          assertThat(requireNonNull(endpoint.worker()).tasks())
              .containsExactly("default/send-receipt");
        });
  }

  @Test
  void aTaskThatRunsWhenTheContextClosesHasEverythingUntilItsEnd() {
    var ended = new LinkedBlockingQueue<String>();
    runner
        .withUserConfiguration(Database.class)
        .withBean(LastTask.class, () -> new LastTask(ended))
        .run(context -> {
          context.getBean(LastTask.class).source = context.getBean(DataSource.class);
          context.getBean(LastTask.class).client = context.getBean(TaskClient.class);
          context.getBean(TaskClient.class).enqueue(Task.of("last", String.class), "it");
          LastTask.BEGUN.await();
        });
    assertThat(ended).containsExactly("1 row, enqueued true");
  }

  /// Ends only after its context began to close.
  static class LastTask implements ApplicationListener<ContextClosedEvent> {
    static final CountDownLatch BEGUN = new CountDownLatch(1);
    private final CountDownLatch closing = new CountDownLatch(1);
    private final BlockingQueue<String> ended;
    volatile @Nullable DataSource source;
    volatile @Nullable TaskClient client;

    LastTask(BlockingQueue<String> ended) {
      this.ended = ended;
    }

    @HandlesTask("last")
    void run(String argument) throws Exception {
      BEGUN.countDown();
      closing.await();
      try (var connection = requireNonNull(source).getConnection();
          var rows = connection.createStatement().executeQuery("SELECT 1")) {
        boolean isNew =
            requireNonNull(client).enqueue(Task.of("after", String.class), argument).isNew();
        ended.add((rows.next() ? 1 : 0) + " row, enqueued " + isNew);
      }
    }

    @Override
    public void onApplicationEvent(ContextClosedEvent event) {
      closing.countDown();
    }
  }

  @Test
  void theWorkerStopsWithTheContext() {
    var stopped = new LinkedBlockingQueue<WorkerLifecycle>();
    runner
        .withBean(Receipts.class)
        .run(context -> {
          var lifecycle = context.getBean(WorkerLifecycle.class);
          await()
              .atMost(Duration.ofSeconds(60))
              .until(() -> lifecycle.worker().orElseThrow().isConnected());
          stopped.add(lifecycle);
        });
    assertThat(stopped.remove().isRunning()).isFalse();
  }
}
