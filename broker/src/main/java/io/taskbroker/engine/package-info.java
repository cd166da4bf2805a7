/// Thread that owns the engine: passes commands of the other stages to the engine and its effects,
/// in batches, to the stages.
@NullMarked
package io.taskbroker.engine;

import org.jspecify.annotations.NullMarked;
