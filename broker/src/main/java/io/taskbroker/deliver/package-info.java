/// Push: activations go to the workers of their application by calls of `WorkerService`. Sends at
/// once and says what became of each call; how many may be under way and when to try again is for
/// the engine to decide.
@NullMarked
package io.taskbroker.deliver;

import org.jspecify.annotations.NullMarked;
