package io.taskbroker.store.postgres;

import io.taskbroker.store.FinishedCodec;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writer of the records of finished tasks of one broker epoch, as steps of a commit. The position
/// of a page is the number of bytes of those before it. Confined to the committer thread.
final class FinishedLog {
  /// Most bytes of pages that one delete removes: some milliseconds of work.
  static final long CHUNK = 1 << 20;

  static final String INSERT =
      """
      INSERT INTO taskbroker_finished (epoch, position, bytes, kept_until, id, records)
      SELECT ?, * FROM unnest(?::bigint[], ?::int[], ?::bigint[], ?::text[], ?::bytea[])
      ON CONFLICT DO NOTHING\
      """;

  /// Deletes the oldest pages of an epoch: of those before a position, all before another one and
  /// those that are out of date.
  static final String PURGE =
      """
      DELETE FROM taskbroker_finished
      WHERE epoch = ? AND position < ? AND (position < ? OR kept_until < ?)\
      """;

  private final long epoch;
  private final long maxBytes;

  /// Position of the next page, and the one up to which pages were deleted for their size.
  private long next;

  private long purged;

  /// Whether a commit found no space, and no insert has found any since. Meanwhile finished tasks
  /// leave no records, so that deletes make space (H12).
  boolean spaceLacks;

  /// @param maxBytes limit on the bytes of the pages of this epoch
  FinishedLog(long epoch, long maxBytes) {
    this.epoch = epoch;
    this.maxBytes = maxBytes;
  }

  /// Adds the records of a plan to its script, and what goes for them.
  void add(CommitPlan plan, StatementScript script) {
    if (plan.finished.isEmpty() || spaceLacks) {
      return;
    }
    List<FinishedCodec.Page> pages = FinishedCodec.pages(plan.finished);
    long from = next;
    script.finished(binder -> bind(pages, from, binder));
    for (FinishedCodec.Page page : pages) {
      plan.finishedBytes += page.bytes();
    }
    long before = before(plan);
    if (before >= 0) {
      script.purge(epoch, before);
    }
  }

  /// Position up to which the commit of a plan deletes pages; negative if it deletes none.
  private long before(CommitPlan plan) {
    long before = next + plan.finishedBytes - maxBytes;
    return before - purged >= Math.min(CHUNK, maxBytes / 8) ? before : -1;
  }

  /// Takes note of a committed plan. If an earlier attempt committed it, its pages may not have
  /// been placed in this one.
  void committed(CommitPlan plan) {
    if (plan.finishedBytes == 0) {
      for (FinishedCodec.Page page : FinishedCodec.pages(plan.finished)) {
        plan.finishedBytes += page.bytes();
      }
    }
    purged = Math.max(purged, before(plan));
    next += plan.finishedBytes;
  }

  private void bind(List<FinishedCodec.Page> pages, long from, Binder binder) throws SQLException {
    int n = pages.size();
    long[] positions = new long[n];
    int[] bytes = new int[n];
    long[] kept = new long[n];
    @Nullable String[] ids = new String[n];
    byte[] @Nullable [] bodies = new byte[n][];
    long position = from;
    for (int i = 0; i < n; i++) {
      FinishedCodec.Page page = pages.get(i);
      positions[i] = position;
      bytes[i] = page.bytes();
      kept[i] = page.keptUntil();
      ids[i] = page.id();
      bodies[i] = page.body();
      position += page.bytes();
    }
    binder.set(epoch).set(positions).set(bytes).set(kept).set(ids).set(bodies);
  }
}
