/// The services that workers call: `ConsumerService` of the wire contract, with its signatures, and
/// health. Nothing here waits: a call is checked, handed to the engine, and answered when the
/// engine says so.
@NullMarked
package io.taskbroker.grpc;

import org.jspecify.annotations.NullMarked;
