/// Transactional enqueue: a call is written to a table in the application's database, in the
/// transaction of the application, and a relay brings it to the broker after the commit.
@NullMarked
package io.taskbroker.client.outbox;

import org.jspecify.annotations.NullMarked;
