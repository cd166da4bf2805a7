package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore.Outcome;
import io.taskbroker.store.postgres.Plan.Moved;
import io.taskbroker.store.postgres.Plan.TombstoneAt;
import io.taskbroker.store.postgres.Segment.Kind;
import io.taskbroker.store.postgres.Segment.Part;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The connection that commits: everything of a batch goes to the server at once, and one answer
/// comes back. Confined to the committer's thread.
final class CommitSession {
  /// What the columns and index entries of a row come to, about.
  static final int ROW_BYTES = 250;

  /// More of them go one after the other, in one transaction. Few batches have a second.
  private static final int SEGMENTS_AT_ONCE = 8;

  private static final int SHAPES = 64;

  private final Connection connection;
  private final long run;
  private final Map<String, PreparedStatement> prepared =
      new LinkedHashMap<>(16, 0.75f, true); // by shape

  /// @param connection is the session's from now on
  CommitSession(Connection connection, long run) throws SQLException {
    this.connection = connection;
    this.run = run;
    connection.setAutoCommit(false);
  }

  /// Commits what is planned.
  ///
  /// @param forgotten the number of the batch before the one before
  /// @param reported keys of rows whose reports end
  /// @throws SQLException nothing is committed if a constraint refused it
  void commit(Plan plan, long number, long forgotten, long[] reported) throws SQLException {
    List<Segment> segments = plan.segments;
    int from = 0;
    do {
      int to = Math.min(segments.size(), from + SEGMENTS_AT_ONCE);
      boolean last = to == segments.size();
      Script script = new Script();
      if (from == 0) {
        script.begin(plan, number, forgotten);
      }
      for (Segment segment : segments.subList(from, to)) {
        segment.parts().forEach(script::part);
      }
      if (last) {
        script.end(plan, reported);
      }
      script.run(plan);
      from = to;
    } while (from < segments.size());
    plan.committed();
  }

  /// Ends a transaction that failed.
  void rollback() throws SQLException {
    connection.rollback();
  }

  void close() {
    Server.close(connection);
  }

  private PreparedStatement prepare(String shape, List<Step> steps) throws SQLException {
    PreparedStatement known = prepared.get(shape);
    if (known != null) {
      return known;
    }
    if (prepared.size() >= SHAPES) {
      var oldest = prepared.entrySet().iterator();
      oldest.next().getValue().close();
      oldest.remove();
    }
    StringBuilder text = new StringBuilder();
    for (Step step : steps) {
      text.append(step.sql()).append(";\n");
    }
    PreparedStatement statement = connection.prepareStatement(text.toString());
    prepared.put(shape, statement);
    return statement;
  }

  private static void bind(Part part, Binder binder) throws SQLException {
    switch (part.kind) {
      case INSERT -> {
        List<Row> rows = new ArrayList<>(part.changes.size());
        for (Change change : part.changes) {
          rows.add(((Change.Insert) change).row());
        }
        RowCodec.bind(binder, rows, part.slots());
      }
      case MARK -> bindMarks(part, binder);
      case PROVE, DELETE -> binder.set(part.slots()).set(part.keys());
      case LEAVE, LEAVE_WITH_PAYLOAD -> bindLeaves(part, binder);
    }
  }

  private static void bindMarks(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    String[] statuses = new String[n];
    int[] attempts = new int[n];
    long[] claims = new long[n];
    long[] deadlines = new long[n];
    boolean[] extended = new boolean[n];
    boolean[] committed = new boolean[n];
    for (int i = 0; i < n; i++) {
      Change.Mark mark = (Change.Mark) part.changes.get(i);
      statuses[i] = mark.status().storedName();
      attempts[i] = mark.attempts();
      claims[i] = RowCodec.time(mark.claimExpiresAt(), Row.NONE);
      deadlines[i] = RowCodec.time(mark.processingDeadline(), Row.NONE);
      extended[i] = mark.deadlineExtended();
      committed[i] = mark.committed();
    }
    binder.set(part.slots()).set(part.keys()).set(statuses).set(attempts);
    binder.set(claims).set(deadlines).set(extended).set(committed);
  }

  private static void bindLeaves(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    String[] statuses = new String[n];
    String[] topics = new String[n];
    String[] clusters = new String[n];
    String[] headers = new String[n];
    byte[][] payloads = new byte[n][];
    for (int i = 0; i < n; i++) {
      Change.Leave leave = (Change.Leave) part.changes.get(i);
      statuses[i] = leave.status().storedName();
      topics[i] = leave.destination().topic();
      clusters[i] = RowCodec.cluster(leave.destination());
      headers[i] = RowCodec.headers(leave.destination());
      payloads[i] = leave.payload();
    }
    binder.set(part.slots()).set(part.keys()).set(statuses).set(topics).set(clusters).set(headers);
    if (part.kind == Kind.LEAVE_WITH_PAYLOAD) {
      binder.set(payloads);
    }
  }

  private static void bindTombstones(List<TombstoneAt> tombstones, Binder binder)
      throws SQLException {
    int n = tombstones.size();
    int[] slots = new int[n];
    long[] untils = new long[n];
    long[] highs = new long[n];
    long[] lows = new long[n];
    for (int i = 0; i < n; i++) {
      TombstoneAt tombstone = tombstones.get(i);
      Ids.Fingerprint id = Ids.fingerprint(tombstone.id());
      slots[i] = tombstone.place().slot();
      untils[i] = tombstone.until();
      highs[i] = id.high();
      lows[i] = id.low();
    }
    binder.set(slots).set(untils).set(highs).set(lows);
  }

  private static void bindWatermarks(
      Map<SourcePartition, Moved> watermarks, Binder binder, boolean old) throws SQLException {
    int n = watermarks.size();
    int[] slots = new int[n];
    String[] clusters = new String[n];
    String[] groups = new String[n];
    String[] topicIds = new String[n];
    long[] versions = new long[n];
    long[] nexts = new long[n];
    long[] committed = new long[n];
    int i = 0;
    for (var entry : watermarks.entrySet()) {
      SourcePartition partition = entry.getKey();
      Moved moved = entry.getValue();
      slots[i] = moved.place().slot();
      clusters[i] = partition.cluster();
      groups[i] = partition.group();
      topicIds[i] = partition.topicId();
      versions[i] = old ? moved.version() - 1 : moved.version();
      nexts[i] = moved.now().next();
      committed[i] = moved.now().committed();
      i++;
    }
    binder.set(slots).set(clusters).set(groups).set(topicIds).set(versions);
    if (!old) {
      binder.set(nexts).set(committed);
    }
  }

  /// One statement of a script.
  ///
  /// @param letter tells its kind
  private record Step(char letter, String sql, Binding binding, Answer answer) {}

  private interface Binding {
    void bind(Binder binder) throws SQLException;
  }

  private interface Answer {
    Answer NONE = (_, _) -> {};

    void read(ResultSet result, Plan plan) throws SQLException;
  }

  /// Statements that go to the server together.
  private final class Script {
    private final List<Step> steps = new ArrayList<>();

    void begin(Plan plan, long number, long forgotten) {
      step('l', Sql.LOCK, binder -> binder.set((int) run), Answer.NONE);
      step('g', Sql.GUARD, binder -> binder.set(run).set(number).set(plan.slots()), Answer.NONE);
      if (forgotten >= 0) {
        step('f', Sql.FORGET, binder -> binder.set(run).set(forgotten), Answer.NONE);
      }
    }

    void part(Part part) {
      step(
          Character.forDigit(part.kind.ordinal(), 10),
          Sql.of(part.kind),
          binder -> bind(part, binder),
          (result, plan) -> read(part, result, plan));
    }

    void end(Plan plan, long[] reported) {
      if (!plan.tombstones.isEmpty()) {
        step('t', Sql.TOMBSTONE, binder -> bindTombstones(plan.tombstones, binder), Answer.NONE);
      }
      if (!plan.watermarks.isEmpty()) {
        step(
            'o',
            Sql.OLD_WATERMARK,
            binder -> bindWatermarks(plan.watermarks, binder, true),
            Answer.NONE);
        step(
            'w',
            Sql.WATERMARK,
            binder -> bindWatermarks(plan.watermarks, binder, false),
            Answer.NONE);
      }
      if (reported.length > 0) {
        step('r', Sql.OLD_REPORT, binder -> binder.set(reported), Answer.NONE);
      }
      step('c', "COMMIT", _ -> {}, Answer.NONE);
    }

    void run(Plan plan) throws SQLException {
      StringBuilder shape = new StringBuilder();
      for (Step step : steps) {
        shape.append(step.letter());
      }
      PreparedStatement statement = prepare(shape.toString(), steps);
      Binder binder = new Binder(statement);
      for (Step step : steps) {
        step.binding().bind(binder);
      }
      boolean isResult = statement.execute();
      for (Step step : steps) {
        if (isResult) {
          try (ResultSet result = statement.getResultSet()) {
            step.answer().read(result, plan);
          }
        }
        isResult = statement.getMoreResults();
      }
    }

    private void step(char letter, String sql, Binding binding, Answer answer) {
      steps.add(new Step(letter, sql, binding, answer));
    }

    /// Which rows it was done to, and how their sizes changed.
    private void read(Part part, ResultSet result, Plan plan) throws SQLException {
      boolean sized =
          switch (part.kind) {
            case INSERT, LEAVE_WITH_PAYLOAD, DELETE -> true;
            case MARK, PROVE, LEAVE -> false;
          };
      Map<Long, Integer> sizes = new HashMap<>();
      Set<Long> done = new HashSet<>();
      while (result.next()) {
        done.add(result.getLong(1));
        if (sized) {
          sizes.put(result.getLong(1), result.getInt(2));
        }
      }
      for (int i = 0; i < part.changes.size(); i++) {
        long key = Segment.key(part.changes.get(i));
        if (!done.contains(key)) {
          plan.missed(
              part.indices.get(i), part.kind == Kind.INSERT ? Outcome.DUPLICATE : Outcome.MISSING);
        } else if (sized) {
          plan.sized(part.places.get(i), change(part.kind, sizes.getOrDefault(key, 0)));
        }
      }
    }

    private static long change(Kind kind, int bytes) {
      return switch (kind) {
        case INSERT -> ROW_BYTES + bytes;
        case DELETE -> -ROW_BYTES - bytes;
        default -> bytes;
      };
    }
  }
}
