/// The same task in other libraries.
@NullMarked
package io.taskbroker.examples.comparison;

import org.jspecify.annotations.NullMarked;
