package io.taskbroker.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.proto.v1.TaskActivation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
final class TaskProducerTest {
  @TempDir private Path dir;

  @Test
  void publishesLikeThePythonClient() throws Exception {
    var log = new ExecutionLog(1);
    TaskActivation task =
        new TaskTemplate("app", "ns", "task", 400, 7).task(0).setDelay(3).setExpires(60).build();
    try (var kafka = EmbeddedKafka.start(dir);
        var producer = new TaskProducer(kafka.bootstrap(), "tasks", log)) {
      kafka.createTopic("tasks", 1);
      producer.send(0, task);
      producer.flush();

      assertThat(producer.acknowledged()).isEqualTo(1);
      assertThat(producer.failed()).isZero();
      assertThat(log.publishedAt(0)).isNotEqualTo(ExecutionLog.NEVER);
      var config = Map.<String, Object>of("bootstrap.servers", kafka.bootstrap());
      try (var consumer =
          new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
        var partition = new TopicPartition("tasks", 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        var message = consumer.poll(Duration.ofSeconds(10)).iterator().next();

        assertThat(message.key()).isNull();
        assertThat(message.headers()).isEmpty();
        assertThat(TaskActivation.parseFrom(message.value())).isEqualTo(task);
      }
    }
  }

  @Test
  void makesActivationsLikeThePythonClient() {
    var template = new TaskTemplate("app", "ns", "task", 400, 7);

    TaskActivation task = template.task(42).build();

    assertThat(task.getId()).matches("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}");
    assertThat(template.task(42).getId()).isNotEqualTo(task.getId());
    assertThat(TaskTemplate.numberOf(task)).isEqualTo(42);
    assertThat(TaskTemplate.numberOf(TaskActivation.getDefaultInstance())).isEqualTo(-1);
    assertThat(task.getParametersBytes().size()).isEqualTo(400);
    assertThat(task.getRetryState().hasAtMostOnce()).isTrue();
  }
}
