/// Measures the broker: end to end as a process among processes, at a million tasks, and class by
/// class. Runs by one command each, and writes what it found as JSON, tables and plots.
@org.jspecify.annotations.NullMarked
package io.taskbroker.benchmarks;
