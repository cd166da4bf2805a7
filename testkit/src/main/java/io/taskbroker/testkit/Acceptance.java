package io.taskbroker.testkit;

import io.grpc.Status;

/// What the end of a reporting call means for the report.
enum Acceptance {
  TAKEN,
  AGAIN,
  REFUSED;

  /// As the Python client sees it: everything but a plain refusal is tried again, and an unknown id
  /// is none of the worker's business.
  static Acceptance of(Status status) {
    return switch (status.getCode()) {
      case OK, NOT_FOUND -> TAKEN;
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
          AGAIN;
    };
  }
}
