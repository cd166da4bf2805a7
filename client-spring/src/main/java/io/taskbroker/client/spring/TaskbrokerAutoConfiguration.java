package io.taskbroker.client.spring;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskMiddleware;
import io.taskbroker.client.Worker;
import io.taskbroker.client.metrics.WorkerMetrics;
import io.taskbroker.client.outbox.Outbox;
import io.taskbroker.client.outbox.OutboxDatabase;
import io.taskbroker.client.outbox.OutboxRelay;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.datasource.DataSourceUtils;

/// Beans of the starter; each steps back for one of the application.
@AutoConfiguration(
    afterName = {
      "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration",
      "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration"
    })
@EnableConfigurationProperties(TaskbrokerProperties.class)
public class TaskbrokerAutoConfiguration {
  /// In tests: it runs the tasks, when the test says so, and nothing runs by itself.
  private static final String INLINE_BROKER = "io.taskbroker.client.testing.InlineBroker";

  @Bean
  @ConditionalOnMissingBean
  TaskClient taskClient(TaskbrokerProperties properties) {
    TaskClient.Builder builder =
        TaskClient.builder()
            .target(properties.targets().toArray(String[]::new))
            .enqueueTimeout(properties.enqueueTimeout());
    if (properties.secret() != null) {
      builder.secret(properties.secret());
    }
    if (properties.tls()) {
      builder.tls();
    }
    return builder.build();
  }

  @Bean
  @ConditionalOnMissingBean(value = WorkerLifecycle.class, type = INLINE_BROKER)
  @ConditionalOnProperty(name = "taskbroker.worker.enabled", matchIfMissing = true)
  WorkerLifecycle taskWorker(
      ListableBeanFactory beans,
      TaskClient client,
      TaskbrokerProperties properties,
      ObjectProvider<TaskMiddleware> middleware,
      ObjectProvider<WorkerBinder> binders) {
    return new WorkerLifecycle(
        beans,
        client,
        properties.worker(),
        middleware.orderedStream().toList(),
        worker -> binders.forEach(each -> each.bind(worker)));
  }

  /// Callback for each worker that was started.
  interface WorkerBinder {
    void bind(Worker worker);
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(MeterRegistry.class)
  @ConditionalOnBean(MeterRegistry.class)
  static class MetricsConfiguration {
    @Bean
    @ConditionalOnMissingBean
    WorkerMetrics workerMetrics(MeterRegistry registry) {
      return new WorkerMetrics(registry);
    }

    @Bean
    WorkerBinder workerMetricsBinder(WorkerMetrics metrics) {
      return worker -> metrics.bind(worker, Tags.empty());
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(HealthIndicator.class)
  static class HealthConfiguration {
    @Bean
    @ConditionalOnMissingBean(name = "taskbrokerHealthIndicator")
    HealthIndicator taskbrokerHealthIndicator(ObjectProvider<WorkerLifecycle> worker) {
      return new TaskbrokerHealth(worker.getIfAvailable());
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(Endpoint.class)
  static class EndpointConfiguration {
    @Bean
    @ConditionalOnMissingBean
    TaskbrokerEndpoint taskbrokerEndpoint(ObjectProvider<WorkerLifecycle> worker) {
      return new TaskbrokerEndpoint(worker.getIfAvailable());
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({Outbox.class, DataSourceUtils.class})
  @ConditionalOnBean(DataSource.class)
  @ConditionalOnProperty(name = "taskbroker.outbox.enabled")
  static class OutboxConfiguration {
    @Bean
    @ConditionalOnMissingBean
    OutboxDatabase outboxDatabase(DataSource source, TaskbrokerProperties properties)
        throws SQLException {
      try (Connection connection = source.getConnection()) {
        OutboxDatabase database = OutboxDatabase.of(connection);
        if (properties.outbox().createTables()) {
          database.createTables(connection);
        }
        return database;
      }
    }

    @Bean
    @ConditionalOnMissingBean
    TransactionalTasks transactionalTasks(
        DataSource source, TaskClient client, OutboxDatabase database) {
      return new TransactionalTasks(source, new Outbox(client, database));
    }

    @Bean
    @ConditionalOnMissingBean(value = OutboxRelay.class, type = INLINE_BROKER)
    OutboxRelay outboxRelay(DataSource source, TaskClient client, OutboxDatabase database) {
      return OutboxRelay.start(source, database, client);
    }
  }
}
