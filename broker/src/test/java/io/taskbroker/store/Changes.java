package io.taskbroker.store;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.store.ActivationStore.ParkedQuery;

/// Changes and queries for tests, each identified by its key or offset.
final class Changes {
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "topic-id", "topic", 0);

  private static final byte[] PAYLOAD = {}; // shared: arrays are compared by identity

  private Changes() {}

  static Change insert(long key) {
    return new Change.Insert(row(key, "app"), null);
  }

  static Change insertParked(long key, String application) {
    return new Change.Insert(row(key, application).parkedUntil(1_000), null);
  }

  static Change updateStatus(long key) {
    return new Change.UpdateStatus(
        key, "id-" + key, Rows.ORIGIN, Status.PROCESSING, 0, Row.NONE, 5_000, false, false, null);
  }

  static Change confirmOffset(long key) {
    return new Change.ConfirmOffset(key, "id-" + key, Rows.ORIGIN, null);
  }

  static Change forward(long key) {
    return new Change.Forward(
        key, "id-" + key, Rows.ORIGIN, Status.RETRY, null, Destination.of("topic"), null);
  }

  static Change delete(long key) {
    return new Change.Delete(key, "id-" + key, Rows.ORIGIN, Row.NONE, null);
  }

  static Change advanceWatermark(long next) {
    return new Change.AdvanceWatermark(PARTITION, next, null);
  }

  static Change offsetCommitted(long offset) {
    return new Change.OffsetCommitted(PARTITION, offset, null);
  }

  static ParkedQuery query(String application) {
    return new ParkedQuery(application, 0, 0, 0, 2_000, 100);
  }

  /// Whether the change needs disk space.
  static boolean needsSpace(Change change) {
    return switch (change) {
      case Change.Insert _, Change.Fire _, Change.AdvanceWatermark _, Change.OffsetCommitted _ ->
          true;
      case Change.UpdateStatus _,
          Change.ConfirmOffset _,
          Change.ChangeDelay _,
          Change.ChangePriority _,
          Change.Forward _,
          Change.Retry _,
          Change.Delete _ ->
          false;
    };
  }

  private static Row row(long key, String application) {
    Activation activation =
        new Activation(
            "id-" + key,
            application,
            "namespace",
            "task",
            PAYLOAD,
            new Origin("topic", 0, key),
            0,
            Activation.NEVER,
            0,
            10,
            FailurePolicy.DISCARD,
            false,
            false);
    return Row.arriving(key, activation, Status.PENDING, 0);
  }
}
