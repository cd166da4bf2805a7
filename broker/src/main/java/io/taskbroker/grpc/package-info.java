/// gRPC services for workers: `ConsumerService` of the wire contract, with its signatures, and
/// health. Never blocks: a call is checked, passed to the engine, and answered when the engine
/// replies.
@NullMarked
package io.taskbroker.grpc;

import org.jspecify.annotations.NullMarked;
