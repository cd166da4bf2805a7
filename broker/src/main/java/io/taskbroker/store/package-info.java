/// Durable storage of the tasks in flight: the contract of the database adapters, and the committer
/// that groups changes into transactions.
@NullMarked
package io.taskbroker.store;

import org.jspecify.annotations.NullMarked;
