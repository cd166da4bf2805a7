/// Demonstration: Kafka, a broker and a worker on this machine, tasks of every kind, and a check of
/// the outcome of each.
@NullMarked
package io.taskbroker.lab.demo;

import org.jspecify.annotations.NullMarked;
