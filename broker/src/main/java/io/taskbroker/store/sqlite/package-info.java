/// The activations in flight in one SQLite file: written by one broker at a time, readable by
/// anybody at any time under the names of the reference (reference-spec 4.2), durable when a commit
/// returns.
@NullMarked
package io.taskbroker.store.sqlite;

import org.jspecify.annotations.NullMarked;
