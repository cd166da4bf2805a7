/// Engine: the state machine of all tasks in flight, in memory. It takes commands and calls ports.
/// It has one owner thread, does no I/O, and receives the time as an argument.
@NullMarked
package io.taskbroker.inflight;

import org.jspecify.annotations.NullMarked;
