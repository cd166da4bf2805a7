/// Protocol of the engine: commands in, ports out, and the values that they carry. Nothing here
/// knows the engine's state; stages need no other package of the engine.
@NullMarked
package io.taskbroker.inflight.api;

import org.jspecify.annotations.NullMarked;
