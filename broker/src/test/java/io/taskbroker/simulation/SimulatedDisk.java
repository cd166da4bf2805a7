package io.taskbroker.simulation;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.InMemoryStore;
import io.taskbroker.store.SharedInMemoryStore;
import java.util.Map;

/// Storage that survives broker processes: the file of one broker, or the database of several.
sealed interface SimulatedDisk {
  /// The rows by key.
  Map<Long, Row> rows();

  Map<SourcePartition, Watermark> watermarks();

  /// Whether a report of that status is recorded for the owner of the row.
  boolean isRecorded(long key, Status status);

  /// The file of one broker.
  record File(InMemoryStore.Disk disk) implements SimulatedDisk {
    @Override
    public Map<Long, Row> rows() {
      return disk.rows();
    }

    @Override
    public Map<SourcePartition, Watermark> watermarks() {
      return disk.watermarks();
    }

    @Override
    public boolean isRecorded(long key, Status status) {
      return false;
    }
  }

  /// The database of all brokers of a world.
  record Database(SharedInMemoryStore.Disk disk) implements SimulatedDisk {
    @Override
    public Map<Long, Row> rows() {
      return disk.rowsByKey();
    }

    @Override
    public Map<SourcePartition, Watermark> watermarks() {
      return disk.watermarks();
    }

    @Override
    public boolean isRecorded(long key, Status status) {
      return disk.reports().stream()
          .anyMatch(report -> report.key() == key && report.status() == status);
    }
  }
}
