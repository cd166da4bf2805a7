package io.taskbroker.control;

import io.taskbroker.inflight.api.QuarantineAnswer;
import org.jspecify.annotations.Nullable;

/// Reply of the control socket: either an error or an answer.
///
/// @param error one-line reason why the command was rejected
record ControlReply(@Nullable String error, @Nullable QuarantineAnswer answer) {}
