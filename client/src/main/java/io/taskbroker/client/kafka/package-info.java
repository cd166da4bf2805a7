/// Enqueue through Kafka topics that brokers consume. Needs `org.apache.kafka:kafka-clients`.
@NullMarked
package io.taskbroker.client.kafka;

import org.jspecify.annotations.NullMarked;
