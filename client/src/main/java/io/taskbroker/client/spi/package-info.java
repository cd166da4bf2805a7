/// For those who extend the client: other ways to enqueue, and the runner of attempts.
@NullMarked
package io.taskbroker.client.spi;

import org.jspecify.annotations.NullMarked;
