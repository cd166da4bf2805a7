/// Postgres store of tasks in flight, shared by several brokers: each broker changes only rows of
/// partitions that it owns, and a commit is durable when it returns.
@NullMarked
package io.taskbroker.store.postgres;

import org.jspecify.annotations.NullMarked;
