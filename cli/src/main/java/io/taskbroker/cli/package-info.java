/// The command line.
@NullMarked
package io.taskbroker.cli;

import org.jspecify.annotations.NullMarked;
