/// The demonstration: Kafka, a broker and a worker on this machine, tasks of every kind, and an
/// account of what became of each.
@NullMarked
package io.taskbroker.lab.demo;

import org.jspecify.annotations.NullMarked;
