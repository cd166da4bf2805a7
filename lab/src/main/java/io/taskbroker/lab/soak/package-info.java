/// The soak: a real broker process under mixed load and random faults for minutes, and an account
/// of every task, of memory, threads, files and disk at its end.
@NullMarked
package io.taskbroker.lab.soak;

import org.jspecify.annotations.NullMarked;
