/// Runtime of the stages: services with a lifecycle, named threads, and the group-commit flusher.
/// Independent of tasks.
@NullMarked
package io.taskbroker.runtime;

import org.jspecify.annotations.NullMarked;
