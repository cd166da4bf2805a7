/// SQLite store: all tasks in flight in one file. One broker at a time writes it; anyone can read
/// it at any time under the names of the reference (reference-spec 4.2). A commit is durable when
/// it returns.
@NullMarked
package io.taskbroker.store.sqlite;

import org.jspecify.annotations.NullMarked;
