/// What makes the activations in flight durable: the contract that every database adapter fulfils,
/// and the committer that groups changes into transactions.
@NullMarked
package io.taskbroker.store;

import org.jspecify.annotations.NullMarked;
