/// The client's side of the protocol `taskbroker.v1`. Not for applications: it may change in any
/// version.
@NullMarked
package io.taskbroker.client.grpc;

import org.jspecify.annotations.NullMarked;
