package io.taskbroker.store.postgres;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Status;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Table of remote reports (H3): each report is a row, and a notification to the owner of the task.
/// Thread-safe; connections are in auto-commit mode.
///
/// A report holds the shared lock of the owner epoch, as commits do. A broker that takes the
/// partition therefore sees every report if it reads them after the take.
final class RemoteReportTable {
  /// Payload limit of a notification, with a margin.
  private static final int PAYLOAD_BYTES = 7_900;

  private static final String FIND =
      """
      SELECT u.at, t.partition_id, t.key, p.epoch
      FROM unnest(?::text[]) WITH ORDINALITY AS u(id, at)
      JOIN taskbroker_activation t ON t.id = u.id
      JOIN taskbroker_owned_partition p ON p.partition_id = t.partition_id
      """;

  /// Writes the reports and notifies the owners in one round trip. Reads each owner again after it
  /// has the locks.
  private static final String WRITE =
      """
      BEGIN;
      SELECT pg_advisory_xact_lock_shared(%d, r) FROM unnest(?::int[]) AS u(r);
      INSERT INTO taskbroker_remote_report (partition_id, key, status, id, max_attempts, \
      delay_on_retry)
      SELECT * FROM unnest(?::int[], ?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::bigint[])
      ON CONFLICT (key, status) DO NOTHING;
      SELECT pg_notify('taskbroker_' || p.epoch, u.payload)
      FROM unnest(?::int[], ?::text[]) AS u(partition_id, payload)
      JOIN taskbroker_owned_partition p ON p.partition_id = u.partition_id
      WHERE p.epoch IS NOT NULL;
      COMMIT
      """
          .formatted(Sql.EPOCH_LOCKS);

  private static final String OF_PARTITIONS =
      """
      SELECT key, id, status, max_attempts, delay_on_retry FROM taskbroker_remote_report
      WHERE partition_id = ANY (?) ORDER BY number
      """;

  private static final String OF_KEYS =
      """
      SELECT key, id, status, max_attempts, delay_on_retry FROM taskbroker_remote_report
      WHERE key = ANY (?) ORDER BY number
      """;

  /// Bound on the remembered keys. Beyond it they are forgotten, and [Purge] deletes the reports of
  /// rows that end.
  private static final int MAX_KNOWN = 100_000;

  /// Keys of the rows of this broker with known reports.
  private final Set<Long> keysWithReports = ConcurrentHashMap.newKeySet();

  /// Whether the row has known reports, which must be deleted with it.
  boolean hasReports(long key) {
    return !keysWithReports.isEmpty() && keysWithReports.contains(key);
  }

  void forget(long[] keys) {
    for (long key : keys) {
      keysWithReports.remove(key);
    }
  }

  List<Boolean> report(Connection connection, List<RemoteReport> reports) throws SQLException {
    Boolean[] found = new Boolean[reports.size()];
    Arrays.fill(found, false);
    Map<Integer, List<RemoteReport>> byPartition = new TreeMap<>();
    Set<Integer> epochs = new TreeSet<>();
    try (PreparedStatement find = connection.prepareStatement(FIND)) {
      new Binder(find).set(ids(reports));
      try (ResultSet result = find.executeQuery()) {
        while (result.next()) {
          int at = result.getInt(1) - 1;
          found[at] = true;
          RemoteReport of = reports.get(at);
          byPartition
              .computeIfAbsent(result.getInt(2), _ -> new ArrayList<>())
              .add(
                  new RemoteReport(
                      result.getLong(3),
                      of.id(),
                      of.status(),
                      of.maxAttempts(),
                      of.delayOnRetry()));
          int epoch = result.getInt(4);
          if (epoch != 0) {
            epochs.add(epoch);
          }
        }
      }
    }
    if (!byPartition.isEmpty()) {
      write(connection, byPartition, epochs.stream().mapToInt(Integer::intValue).toArray());
    }
    return List.of(found);
  }

  List<RemoteReport> ofPartitions(Connection connection, int[] partitionIds) throws SQLException {
    try (PreparedStatement read = connection.prepareStatement(OF_PARTITIONS)) {
      new Binder(read).set(partitionIds);
      return read(read);
    }
  }

  List<RemoteReport> ofRows(Connection connection, List<Long> keys) throws SQLException {
    try (PreparedStatement read = connection.prepareStatement(OF_KEYS)) {
      new Binder(read).set(keys.stream().mapToLong(Long::longValue).toArray());
      return read(read);
    }
  }

  /// Reports in the payload of a notification. Empty if it carries none, and the caller must read
  /// the table.
  List<RemoteReport> ofNotification(String payload) {
    List<RemoteReport> received = new ArrayList<>();
    for (String line : payload.split("\n", -1)) {
      String[] parts = line.split("\t", -1);
      if (parts.length == 5) {
        received.add(
            new RemoteReport(
                Long.parseLong(parts[0]),
                parts[4],
                Status.ofStoredName(parts[1]),
                Long.parseLong(parts[2]),
                Long.parseLong(parts[3])));
      }
    }
    received.forEach(report -> remember(report.key()));
    return received;
  }

  private void remember(long key) {
    if (keysWithReports.size() >= MAX_KNOWN) {
      keysWithReports.clear();
    }
    keysWithReports.add(key);
  }

  private List<RemoteReport> read(PreparedStatement statement) throws SQLException {
    List<RemoteReport> all = new ArrayList<>();
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        remember(result.getLong(1));
        all.add(
            new RemoteReport(
                result.getLong(1),
                result.getString(2),
                Status.ofStoredName(result.getString(3)),
                result.getLong(4),
                result.getLong(5)));
      }
    }
    return all;
  }

  private static void write(
      Connection connection, Map<Integer, List<RemoteReport>> byPartition, int[] epochs)
      throws SQLException {
    List<Integer> partitionIds = new ArrayList<>();
    List<RemoteReport> reports = new ArrayList<>();
    List<Integer> notified = new ArrayList<>();
    List<String> payloads = new ArrayList<>();
    byPartition.forEach((partitionId, some) -> {
      for (RemoteReport report : some) {
        partitionIds.add(partitionId);
        reports.add(report);
      }
      for (String payload : payloads(some)) {
        notified.add(partitionId);
        payloads.add(payload);
      }
    });
    try (PreparedStatement write = connection.prepareStatement(WRITE)) {
      new Binder(write)
          .set(epochs)
          .set(ints(partitionIds))
          .set(reports.stream().mapToLong(RemoteReport::key).toArray())
          .set(reports.stream().map(r -> r.status().storedName()).toArray(String[]::new))
          .set(reports.stream().map(RemoteReport::id).toArray(String[]::new))
          .set(reports.stream().mapToLong(RemoteReport::maxAttempts).toArray())
          .set(reports.stream().mapToLong(RemoteReport::delayOnRetry).toArray())
          .set(ints(notified))
          .set(payloads.toArray(String[]::new));
      write.execute();
    } catch (SQLException e) {
      try {
        connection.setAutoCommit(false);
        connection.rollback();
        connection.setAutoCommit(true);
      } catch (SQLException f) {
        e.addSuppressed(f);
      }
      throw e;
    }
  }

  /// Notification payloads for the reports of one partition, each with as many lines as fit.
  private static List<String> payloads(List<RemoteReport> reports) {
    List<String> payloads = new ArrayList<>();
    StringBuilder payload = new StringBuilder();
    int bytes = 0;
    for (RemoteReport report : reports) {
      String line =
          String.join(
              "\t",
              Long.toString(report.key()),
              report.status().storedName(),
              Long.toString(report.maxAttempts()),
              Long.toString(report.delayOnRetry()),
              report.id());
      int more = line.getBytes(StandardCharsets.UTF_8).length + 1;
      if (more > PAYLOAD_BYTES
          || report.id().indexOf('\t') >= 0
          || report.id().indexOf('\n') >= 0) {
        return List.of(""); // makes the owner read the table
      }
      if (bytes + more > PAYLOAD_BYTES) {
        payloads.add(payload.toString());
        payload.setLength(0);
        bytes = 0;
      }
      payload.append(line).append('\n');
      bytes += more;
    }
    payloads.add(payload.toString());
    return payloads;
  }

  /// Ids of the reports; null for an id with U+0000, which no row can have.
  private static @Nullable String[] ids(List<RemoteReport> reports) {
    @Nullable String[] ids = new String[reports.size()];
    for (int i = 0; i < ids.length; i++) {
      String id = reports.get(i).id();
      ids[i] = id.indexOf('\0') < 0 ? id : null;
    }
    return ids;
  }

  private static int[] ints(List<Integer> numbers) {
    return numbers.stream().mapToInt(Integer::intValue).toArray();
  }
}
