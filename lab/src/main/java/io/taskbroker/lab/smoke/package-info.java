/// Smoke test: runs the command line of an installed broker against a Kafka and a worker of its
/// own, and measures how it starts.
@NullMarked
package io.taskbroker.lab.smoke;

import org.jspecify.annotations.NullMarked;
