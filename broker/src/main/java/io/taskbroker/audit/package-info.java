/// Conservation audit: what became of each record of a topic, proven from Kafka and the store ([ADR
/// 24](docs/adr/0024-conservation-audit.md)). Reads only; needs no running broker.
@NullMarked
package io.taskbroker.audit;

import org.jspecify.annotations.NullMarked;
