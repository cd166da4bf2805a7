package io.taskbroker.client.spring;

import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskMiddleware;
import io.taskbroker.client.testing.InlineBroker;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;

/// An [InlineBroker] in place of a broker and a worker, bound to the methods of all beans. Only in
/// tests that ask for it.
@AutoConfiguration(before = TaskbrokerAutoConfiguration.class)
class InlineBrokerAutoConfiguration {
  @Bean
  InlineBroker inlineBroker() {
    return new InlineBroker();
  }

  @Bean
  @Primary
  TaskClient inlineTaskClient(InlineBroker broker) {
    return broker.client();
  }

  @Bean
  SmartInitializingSingleton inlineTaskMethods(
      InlineBroker broker, ListableBeanFactory beans, ObjectProvider<TaskMiddleware> middleware) {
    return () -> {
      broker.middleware(middleware.orderedStream().toArray(TaskMiddleware[]::new));
      TaskMethods.bind(beans, broker::handle);
    };
  }
}
