/// The activations in flight in one Postgres database that several brokers share: each changes only
/// what is its own at that moment, and what it committed is durable when the commit returns.
@NullMarked
package io.taskbroker.store.postgres;

import org.jspecify.annotations.NullMarked;
