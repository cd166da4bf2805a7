/// Real and fake peers of the broker, for tests and for the demo.
@NullMarked
package io.taskbroker.testkit;

import org.jspecify.annotations.NullMarked;
