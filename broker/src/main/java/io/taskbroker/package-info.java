/// Composition root of the broker: stages, their options and the process lifecycle.
@NullMarked
package io.taskbroker;

import org.jspecify.annotations.NullMarked;
