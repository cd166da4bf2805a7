package io.taskbroker.testkit;

import io.grpc.Status;

/// Outcome of a reporting call, for the report.
enum ReportOutcome {
  ACCEPTED,
  RETRY,
  REFUSED;

  /// Classifies a status like the Python client: every failure is retried except an outright
  /// refusal; an unknown id counts as accepted.
  static ReportOutcome of(Status status) {
    return switch (status.getCode()) {
      case OK, NOT_FOUND -> ACCEPTED;
      case INVALID_ARGUMENT, OUT_OF_RANGE, PERMISSION_DENIED, UNAUTHENTICATED, UNIMPLEMENTED ->
          REFUSED;
      case ABORTED,
          ALREADY_EXISTS,
          CANCELLED,
          DATA_LOSS,
          DEADLINE_EXCEEDED,
          FAILED_PRECONDITION,
          INTERNAL,
          RESOURCE_EXHAUSTED,
          UNAVAILABLE,
          UNKNOWN ->
          RETRY;
    };
  }
}
