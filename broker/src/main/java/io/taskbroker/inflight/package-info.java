/// The engine: everything in flight, in memory, as a state machine. Commands come in, effects go
/// out. It has one owner, does no input or output, and is told the time.
@NullMarked
package io.taskbroker.inflight;

import org.jspecify.annotations.NullMarked;
