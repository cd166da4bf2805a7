package io.taskbroker.store;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Rows counted by application, namespace and task name. Immutable.
///
/// @param groups at most [#MAX]
/// @param others rows of further groups
/// @param complete whether all rows were counted; false if the time was over before
public record RowGroups(List<Group> groups, long others, boolean complete) {
  /// Most groups.
  public static final int MAX = 1_000;

  public RowGroups {
    groups = List.copyOf(groups);
  }

  /// Rows of one name.
  ///
  /// @param parked those on disk only
  /// @param oldest when the oldest was published, milliseconds since the epoch
  public record Group(
      String application, String namespace, String taskname, long tasks, long parked, long oldest) {
    private Group plus(Group other) {
      return new Group(
          application,
          namespace,
          taskname,
          tasks + other.tasks,
          parked + other.parked,
          Math.min(oldest, other.oldest));
    }
  }

  /// Sum of the groups of parts of the rows. Not thread-safe.
  public static final class Sum {
    private final Map<List<String>, Group> groups = new HashMap<>();
    private long others;

    /// Adds the group of one part.
    public void add(Group group) {
      List<String> name = List.of(group.application(), group.namespace(), group.taskname());
      if (groups.size() < MAX || groups.containsKey(name)) {
        groups.merge(name, group, Group::plus);
      } else {
        others += group.tasks();
      }
    }

    /// @param complete whether there is no further part
    public RowGroups result(boolean complete) {
      return new RowGroups(List.copyOf(groups.values()), others, complete);
    }
  }
}
