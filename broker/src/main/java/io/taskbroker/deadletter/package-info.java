/// Dead-letter workbench: browses a dead-letter topic, and replays or discards its dead letters,
/// each of them once ([ADR 23](docs/adr/0023-replay-once.md)). It needs Kafka and the broker's
/// configuration, not a running broker. Everything it returns is bounded, and pages have cursors,
/// so that a command line or an HTTP service can call it.
@NullMarked
package io.taskbroker.deadletter;

import org.jspecify.annotations.NullMarked;
