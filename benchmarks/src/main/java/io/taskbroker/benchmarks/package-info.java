/// Benchmarks of the broker: end to end as a process, at a million tasks, and class by class. Each
/// runs by one command and writes JSON, tables and plots.
@org.jspecify.annotations.NullMarked
package io.taskbroker.benchmarks;
