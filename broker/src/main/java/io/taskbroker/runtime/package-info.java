/// What the stages run on: services with a life cycle, named threads, and the group flusher. Knows
/// nothing of tasks.
@NullMarked
package io.taskbroker.runtime;

import org.jspecify.annotations.NullMarked;
