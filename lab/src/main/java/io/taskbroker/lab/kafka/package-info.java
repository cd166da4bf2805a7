/// Kafka server for trying the broker without an installed Kafka.
@NullMarked
package io.taskbroker.lab.kafka;

import org.jspecify.annotations.NullMarked;
