/// Laboratory of the project: programs that demonstrate or test the broker with a Kafka server in
/// the same process. Runs from a checkout; not part of the distribution.
@NullMarked
package io.taskbroker.lab;

import org.jspecify.annotations.NullMarked;
