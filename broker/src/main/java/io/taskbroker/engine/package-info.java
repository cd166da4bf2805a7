/// The thread that owns the engine: it takes commands from the other stages, lets the engine follow
/// them, and hands on what the engine wants done, in batches.
@NullMarked
package io.taskbroker.engine;

import org.jspecify.annotations.NullMarked;
