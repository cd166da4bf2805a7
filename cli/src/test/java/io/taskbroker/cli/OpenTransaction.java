package io.taskbroker.cli;

import io.taskbroker.testkit.BrokerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// A broker whose topic has a record in a transaction that its producer does not end.
record OpenTransaction(
    BrokerProcess broker, BrokerPages pages, KafkaProducer<byte[], byte[]> producer)
    implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  static OpenTransaction start(Path dir, KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "alert-transaction", view.bootstrap());
    view.createTopics(setup, 1);
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            view.bootstrap(),
            "transactional.id",
            setup.topic(),
            // Longer than the test: Kafka aborts it then.
            "transaction.timeout.ms",
            (int) TimeUnit.MINUTES.toMillis(10));
    var producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    producer.initTransactions();
    producer.beginTransaction();
    var _ = producer.send(new ProducerRecord<>(setup.topic(), new byte[1]));
    producer.flush();
    BrokerPages pages = BrokerPages.of(setup);
    return new OpenTransaction(setup.start().awaitServing(PATIENCE), pages, producer);
  }

  @Override
  public void close() {
    broker.close();
    pages.close();
    producer.close(Duration.ZERO);
  }
}
