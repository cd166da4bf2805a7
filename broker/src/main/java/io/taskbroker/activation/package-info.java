/// Domain model: activations, rows, statuses and durable changes. Depends only on the wire
/// contract.
@NullMarked
package io.taskbroker.activation;

import org.jspecify.annotations.NullMarked;
