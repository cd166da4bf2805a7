package io.taskbroker.store;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/// Rows for store tests.
public final class Rows {
  public static final long NOW = 1_700_000_000_123L;

  /// Origin of all rows.
  public static final Origin ORIGIN = new Origin("taskworker", 3, 42);

  private Rows() {}

  /// Typical pending row: application `app`, id `id-KEY`.
  public static Row pending(long key) {
    return Row.arriving(
        key, activation("id-" + key, "app", new byte[] {1, 2, 3}), Status.PENDING, NOW);
  }

  /// Delayed, parked row.
  public static Row parked(long key, String application, long due) {
    Activation activation = activation("id-" + key, application, new byte[] {(byte) key});
    return Row.arriving(key, activation, Status.DELAY, NOW).parkedUntil(due);
  }

  public static Activation activation(String id, String application, byte[] payload) {
    return new Activation(
        id,
        application,
        "namespace",
        "task",
        payload,
        ORIGIN,
        NOW - 10,
        Activation.NEVER,
        0,
        30,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  /// Text of a row, payload included; equal for equal rows.
  public static String text(Row row) {
    byte[] payload = row.activation().payload();
    Destination forwardTo = row.forwardTo();
    return row.toString()
            .replaceAll("payload=[^,]*", "payload")
            .replaceAll("(?s), forwardTo=.*", "")
        + (forwardTo == null
            ? ""
            : forwardTo.topic() + "@" + forwardTo.cluster() + new TreeMap<>(forwardTo.headers()))
        + payload.length
        + ":"
        + Arrays.hashCode(payload);
  }

  public static List<String> texts(List<Row> rows) {
    return rows.stream().map(Rows::text).toList();
  }
}
