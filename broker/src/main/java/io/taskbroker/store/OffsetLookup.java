package io.taskbroker.store;

import io.taskbroker.activation.Status;
import java.util.List;
import java.util.OptionalLong;

/// Read-only look into the store of a broker, running or not: which records of a partition it
/// holds. Uses a connection of its own and never writes. One thread.
public interface OffsetLookup extends AutoCloseable {

  /// Reads a range of a partition, as of one moment.
  ///
  /// @param topicId UUID of the topic: watermarks of a deleted topic of the same name do not count
  /// @param from first offset
  /// @param to offset behind the last one; at most 1,000,000 more
  /// @throws StoreException if the store cannot be read
  Held read(String group, String topic, String topicId, int partition, long from, long to);

  @Override
  void close();

  /// Content of the range.
  ///
  /// @param store name of the store, as in the metadata of its offset commits
  /// @param next every record below this offset is stored or durably disposed of; empty if the
  ///   store has read none of the partition
  record Held(String store, OptionalLong next, List<Task> tasks) {
    public Held {
      tasks = List.copyOf(tasks);
    }
  }

  /// Task that the store holds.
  ///
  /// @param parked whether it is on disk only
  /// @param delayUntil milliseconds since the epoch; 0 if it is not delayed
  /// @param forwardTopic topic that it is being produced to; empty if none
  record Task(
      long offset,
      String id,
      Status status,
      boolean parked,
      long delayUntil,
      String forwardTopic) {}
}
