/// A Kafka consumer whose records are bounded before memory is allocated for them: it decompresses
/// batches itself, record by record, and answers a record that is too large, or cannot be read, by
/// a [io.taskbroker.ingest.fetch.UnreadRecord] ([ADR 11](docs/adr/0011-bounded-fetches.md)).
@NullMarked
package io.taskbroker.ingest.fetch;

import org.jspecify.annotations.NullMarked;
