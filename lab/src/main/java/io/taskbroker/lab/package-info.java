/// Laboratory of the project: programs that show or test the broker beside a Kafka server in the
/// same process. Runs from a checkout; the distribution does not contain it.
@NullMarked
package io.taskbroker.lab;

import org.jspecify.annotations.NullMarked;
