/// Command line of the broker.
@NullMarked
package io.taskbroker.cli;

import org.jspecify.annotations.NullMarked;
