/// Soak test: a real broker process under mixed load and random faults for minutes, with a final
/// check of every task and of memory, threads, files and disk.
@NullMarked
package io.taskbroker.lab.soak;

import org.jspecify.annotations.NullMarked;
