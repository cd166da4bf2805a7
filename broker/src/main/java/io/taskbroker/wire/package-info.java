/// The wire contract in bytes: signatures, and messages that hold an activation as it is. Knows no
/// transport.
@NullMarked
package io.taskbroker.wire;

import org.jspecify.annotations.NullMarked;
