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

/// What workers report to brokers that do not have the row (H3): a row of its own, and a word to
/// the broker that has it. Thread-safe; connections commit by themselves.
///
/// Of a row that changes hands meanwhile, the taker reads all reports after the take: a report has
/// the lock of the run that has the row shared, as commits do.
final class RemoteReportTable {
  /// What a notification holds, less one.
  private static final int PAYLOAD_BYTES = 7_900;

  private static final String FIND =
      """
      SELECT u.at, t.slot, t.key, p.run FROM unnest(?::text[]) WITH ORDINALITY AS u(id, at)
      JOIN taskbroker_activation t ON t.id = u.id
      JOIN taskbroker_place p ON p.slot = t.slot
      """;

  /// One round trip. Every run that is told has been asked for again, behind the locks.
  private static final String WRITE =
      """
      BEGIN;
      SELECT pg_advisory_xact_lock_shared(%d, r) FROM unnest(?::int[]) AS u(r);
      INSERT INTO taskbroker_report (slot, key, status, id, max_attempts, delay_on_retry)
      SELECT * FROM unnest(?::int[], ?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::bigint[])
      ON CONFLICT (key, status) DO NOTHING;
      SELECT pg_notify('taskbroker_' || p.run, u.payload)
      FROM unnest(?::int[], ?::text[]) AS u(slot, payload)
      JOIN taskbroker_place p ON p.slot = u.slot WHERE p.run IS NOT NULL;
      COMMIT
      """
          .formatted(Sql.RUN_LOCKS);

  private static final String OF_PLACES =
      """
      SELECT key, id, status, max_attempts, delay_on_retry FROM taskbroker_report
      WHERE slot = ANY (?) ORDER BY number
      """;

  private static final String OF_KEYS =
      """
      SELECT key, id, status, max_attempts, delay_on_retry FROM taskbroker_report
      WHERE key = ANY (?) ORDER BY number
      """;

  /// Beyond so many, what is known is forgotten, and [Purge] removes what ends without being known.
  private static final int MAX_KNOWN = 100_000;

  /// Of the rows that are this broker's, those of which reports are known.
  private final Set<Long> reported = ConcurrentHashMap.newKeySet();

  /// Whether there are reports of the row, which are to end with it.
  boolean areOf(long key) {
    return !reported.isEmpty() && reported.contains(key);
  }

  void ended(long[] keys) {
    for (long key : keys) {
      reported.remove(key);
    }
  }

  List<Boolean> report(Connection connection, List<RemoteReport> reports) throws SQLException {
    Boolean[] there = new Boolean[reports.size()];
    Arrays.fill(there, false);
    Map<Integer, List<RemoteReport>> bySlot = new TreeMap<>();
    Set<Integer> runs = new TreeSet<>();
    try (PreparedStatement find = connection.prepareStatement(FIND)) {
      new Binder(find).set(ids(reports));
      try (ResultSet result = find.executeQuery()) {
        while (result.next()) {
          int at = result.getInt(1) - 1;
          there[at] = true;
          RemoteReport of = reports.get(at);
          bySlot
              .computeIfAbsent(result.getInt(2), _ -> new ArrayList<>())
              .add(
                  new RemoteReport(
                      result.getLong(3),
                      of.id(),
                      of.status(),
                      of.maxAttempts(),
                      of.delayOnRetry()));
          int run = result.getInt(4);
          if (run != 0) {
            runs.add(run);
          }
        }
      }
    }
    if (!bySlot.isEmpty()) {
      write(connection, bySlot, runs.stream().mapToInt(Integer::intValue).toArray());
    }
    return List.of(there);
  }

  List<RemoteReport> ofPlaces(Connection connection, int[] slots) throws SQLException {
    try (PreparedStatement read = connection.prepareStatement(OF_PLACES)) {
      new Binder(read).set(slots);
      return read(read);
    }
  }

  List<RemoteReport> ofRows(Connection connection, List<Long> keys) throws SQLException {
    try (PreparedStatement read = connection.prepareStatement(OF_KEYS)) {
      new Binder(read).set(keys.stream().mapToLong(Long::longValue).toArray());
      return read(read);
    }
  }

  /// The reports that a notification tells of; empty if it does not say, and all are to be read.
  List<RemoteReport> heard(String payload) {
    List<RemoteReport> heard = new ArrayList<>();
    for (String line : payload.split("\n", -1)) {
      String[] parts = line.split("\t", -1);
      if (parts.length == 5) {
        heard.add(
            new RemoteReport(
                Long.parseLong(parts[0]),
                parts[4],
                Status.ofStoredName(parts[1]),
                Long.parseLong(parts[2]),
                Long.parseLong(parts[3])));
      }
    }
    heard.forEach(report -> known(report.key()));
    return heard;
  }

  private void known(long key) {
    if (reported.size() >= MAX_KNOWN) {
      reported.clear();
    }
    reported.add(key);
  }

  private List<RemoteReport> read(PreparedStatement statement) throws SQLException {
    List<RemoteReport> all = new ArrayList<>();
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        known(result.getLong(1));
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
      Connection connection, Map<Integer, List<RemoteReport>> bySlot, int[] runs)
      throws SQLException {
    List<Integer> slots = new ArrayList<>();
    List<RemoteReport> reports = new ArrayList<>();
    List<Integer> told = new ArrayList<>();
    List<String> payloads = new ArrayList<>();
    bySlot.forEach((slot, some) -> {
      for (RemoteReport report : some) {
        slots.add(slot);
        reports.add(report);
      }
      for (String payload : payloads(some)) {
        told.add(slot);
        payloads.add(payload);
      }
    });
    try (PreparedStatement write = connection.prepareStatement(WRITE)) {
      new Binder(write)
          .set(runs)
          .set(ints(slots))
          .set(reports.stream().mapToLong(RemoteReport::key).toArray())
          .set(reports.stream().map(r -> r.status().storedName()).toArray(String[]::new))
          .set(reports.stream().map(RemoteReport::id).toArray(String[]::new))
          .set(reports.stream().mapToLong(RemoteReport::maxAttempts).toArray())
          .set(reports.stream().mapToLong(RemoteReport::delayOnRetry).toArray())
          .set(ints(told))
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

  /// What is told of the rows of a place: reports, as many lines as a notification holds.
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
        return List.of(""); // to be read from the table, all of them
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

  /// Null for what no row can have as its id.
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
