/// Kafka consumer that bounds records before it allocates memory for them. It decompresses batches
/// itself, record by record, and replaces an oversized or unreadable record by one with an
/// [io.taskbroker.ingest.fetch.UnreadRecord] ([ADR 11](docs/adr/0011-bounded-fetches.md)).
@NullMarked
package io.taskbroker.ingest.fetch;

import org.jspecify.annotations.NullMarked;
