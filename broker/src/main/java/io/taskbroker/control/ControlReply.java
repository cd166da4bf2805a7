package io.taskbroker.control;

import io.taskbroker.inflight.QuarantineAnswer;
import org.jspecify.annotations.Nullable;

/// What the socket answers: one of the two.
///
/// @param error why the command was not followed, in one line
record ControlReply(@Nullable String error, @Nullable QuarantineAnswer answer) {}
