package io.taskbroker.client.grpc;

import io.grpc.Status;
import io.taskbroker.client.BrokerFullException;
import io.taskbroker.client.BrokerUnavailableException;
import io.taskbroker.client.TaskBrokerException;
import io.taskbroker.client.TaskNotFoundException;
import io.taskbroker.client.TaskRejectedException;

/// Translation of gRPC errors to exceptions of the client.
final class Errors {
  private Errors() {}

  /// Whether the same request may succeed later.
  static boolean isTransient(Throwable error) {
    return switch (Status.fromThrowable(error).getCode()) {
      case UNAVAILABLE,
          DEADLINE_EXCEEDED,
          RESOURCE_EXHAUSTED,
          ABORTED,
          CANCELLED,
          INTERNAL,
          UNKNOWN ->
          true;
      default -> false;
    };
  }

  /// @param doing such as "enqueue task 17 at localhost:50051"
  static TaskBrokerException of(String doing, Throwable error) {
    Status status = Status.fromThrowable(error);
    String text = "Could not " + doing + ": " + status.getCode() + ", " + status.getDescription();
    return switch (status.getCode()) {
      case NOT_FOUND -> new TaskNotFoundException(text);
      case RESOURCE_EXHAUSTED -> new BrokerFullException(text);
      case UNAUTHENTICATED, PERMISSION_DENIED ->
          new TaskRejectedException(
              TaskRejectedException.Reason.NOT_ALLOWED, text + " (check the secret)", error);
      case INVALID_ARGUMENT, OUT_OF_RANGE, FAILED_PRECONDITION ->
          new TaskRejectedException(TaskRejectedException.Reason.INVALID, text, error);
      case UNIMPLEMENTED ->
          new TaskRejectedException(
              TaskRejectedException.Reason.NOT_ALLOWED,
              text + " (the broker is of an earlier version, or the address is another server)",
              error);
      default ->
          new BrokerUnavailableException(
              text + " (check that the broker runs and that the address is right)", error);
    };
  }
}
