package io.taskbroker.store;

import io.taskbroker.activation.ScheduleRow;
import java.util.List;
import java.util.Optional;

/// Schedules of a store. Its tasks are stored by [io.taskbroker.activation.Change.Fire]; everything
/// else about schedules is read and written here. Confined as the store is: ask the
/// [StoreCommitter]. Every method is a transaction of its own and throws [StoreException].
public interface ScheduleStore {
  Optional<ScheduleRow> find(String name);

  /// Schedules with names greater than `after`, in the order of names (by bytes of UTF-8).
  ///
  /// @param bytes size of the states after which the page ends; at least one is returned if there
  ///   is any
  List<ScheduleRow> page(String after, int limit, int bytes);

  /// Schedules that are due at or before `until` (milliseconds since the epoch), after the schedule
  /// (`afterDue`, `afterName`), in that order.
  List<ScheduleRow> due(long afterDue, String afterName, long until, int limit);

  /// When the next schedule is due after `time`, milliseconds since the epoch; [ScheduleRow#NEVER]
  /// if none is.
  long nextDue(long time);

  /// Number of schedules.
  int count();

  /// Creates a schedule. Returns false if there is one of its name.
  boolean create(ScheduleRow row);

  /// Replaces a schedule. Returns false if it has another version, or does not exist.
  boolean replace(ScheduleRow row, long version);

  /// Deletes a schedule. Returns false if there is none.
  boolean delete(String name);
}
