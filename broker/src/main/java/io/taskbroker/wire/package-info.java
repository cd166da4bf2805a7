/// Byte-level wire contract: signatures, and messages that embed an activation unchanged.
/// Independent of the transport.
@NullMarked
package io.taskbroker.wire;

import org.jspecify.annotations.NullMarked;
