package io.taskbroker.store;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Brokers that share a store, and who owns which partition. Immutable.
///
/// @param members those that live, own something, or were seen within a day; at most [#MAX_MEMBERS]
/// @param partitions at most [#MAX_PARTITIONS]
public record Fleet(List<Member> members, List<Owned> partitions) {
  public static final int MAX_MEMBERS = 1_000;
  public static final int MAX_PARTITIONS = 10_000;

  public Fleet {
    members = List.copyOf(members);
    partitions = List.copyOf(partitions);
  }

  /// Process of a broker.
  ///
  /// @param epoch of the process
  /// @param name of the broker, as in its consumer groups
  /// @param version empty for one before this was recorded
  /// @param lastSeen last renewal of its lease
  /// @param alive whether its lease holds
  /// @param bytes of its rows
  public record Member(
      long epoch,
      String name,
      Optional<String> version,
      Optional<Instant> startedAt,
      Optional<Instant> lastSeen,
      boolean alive,
      long bytes) {}

  /// Partition that some broker has or had.
  ///
  /// @param id of it in the database, as in [RowBrowser.Position]
  /// @param partition negative for the rows of one broker that came from no partition
  /// @param epoch of the owner; empty if nobody owns it
  /// @param since when it has this owner, or none
  public record Owned(
      int id, String topic, int partition, Optional<Long> epoch, Optional<Instant> since) {}

  /// Names of the owners, by the id of the partition.
  public Map<Integer, String> owners() {
    Map<Long, String> names =
        members.stream().collect(Collectors.toMap(Member::epoch, Member::name, (one, _) -> one));
    return partitions.stream()
        .filter(owned -> owned.epoch().filter(names::containsKey).isPresent())
        .collect(Collectors.toMap(Owned::id, owned -> names.get(owned.epoch().get())));
  }
}
