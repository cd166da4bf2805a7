package io.taskbroker;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.HealthSource;
import java.util.List;
import java.util.function.Consumer;

/// Latest problems of the topics that are produced to, as one condition. Thread-safe.
final class TargetProblems implements Consumer<List<String>>, HealthSource {
  private volatile List<Condition> current = List.of();

  /// @param lines one for each topic with a problem
  @Override
  public void accept(List<String> lines) {
    current =
        lines.isEmpty()
            ? List.of()
            : List.of(
                new Condition(
                    Condition.Kind.TOPIC_UNWRITABLE, "target topics", String.join("; ", lines)));
  }

  @Override
  public List<Condition> conditions() {
    return current;
  }
}
