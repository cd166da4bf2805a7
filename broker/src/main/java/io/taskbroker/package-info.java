/// The broker, built stage by stage.
@NullMarked
package io.taskbroker;

import org.jspecify.annotations.NullMarked;
