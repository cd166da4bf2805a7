package io.taskbroker.client.spring.slice;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskMiddleware;
import io.taskbroker.client.spring.WorkerLifecycle;
import io.taskbroker.client.spring.slice.SliceApplication.Mailer;
import io.taskbroker.client.spring.slice.SliceApplication.Receipt;
import io.taskbroker.client.spring.test.TaskTest;
import io.taskbroker.client.testing.InlineBroker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/// What a [TaskTest] has, and what it leaves out.
@TaskTest(properties = "shop.name=Ada's")
final class TaskSliceTest {
  private static final Task<Receipt> SEND =
      Task.of("send-receipt", Receipt.class).retry(RetryPolicy.fixed(3, Duration.ofSeconds(5)));
  private static final List<String> MAILS = new ArrayList<>();
  private static final List<String> AROUND = new ArrayList<>();

  @TestConfiguration(proxyBeanMethods = false)
  static class Others {
    @Bean
    Mailer mailer() {
      return MAILS::add;
    }

    @Bean
    TaskMiddleware middleware() {
      return (context, next) -> {
        AROUND.add(context.name());
        next.run();
      };
    }
  }

  private final InlineBroker broker;
  private final TaskClient client;
  private final ApplicationContext context;

  TaskSliceTest(
      @Autowired InlineBroker broker,
      @Autowired TaskClient client,
      @Autowired ApplicationContext context) {
    this.broker = broker;
    this.client = client;
    this.context = context;
  }

  @BeforeEach
  void forget() {
    MAILS.clear();
    AROUND.clear();
  }

  @Test
  void methodsRunWhenTheTestSaysSo() {
    client.enqueue(SEND, new Receipt("4711"));
    broker.failNext(SEND, new IllegalStateException("mail server down"));
    assertThat(broker.runDue()).isEqualTo(1);
    assertThat(MAILS).isEmpty();
    assertThat(broker.advance(Duration.ofSeconds(5))).isEqualTo(1);
    assertThat(MAILS).containsExactly("Order 4711");
    assertThat(AROUND).containsExactly("send-receipt");
  }

  /// The context is shared, its calls are not.
  @RepeatedTest(2)
  void callsOfOtherTestsAreForgotten() {
    assertThat(broker.enqueuedCalls()).isZero();
    client.enqueue(SEND, new Receipt("1"));
    assertThat(broker.enqueued(SEND)).containsExactly(new Receipt("1"));
  }

  @Test
  void nothingElseIsThere() {
    assertThat(context.getBeanNamesForType(Website.class)).isEmpty();
    assertThat(context.getBeanNamesForType(WorkerLifecycle.class)).isEmpty();
    assertThat(context.getBean(Environment.class).getProperty("shop.name")).isEqualTo("Ada's");
  }
}
