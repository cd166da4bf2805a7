package io.taskbroker.activation;

import com.google.protobuf.UnknownFieldSet;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.Task;
import java.util.OptionalInt;

/// Priority of a task among those of its application: from [#LAST] to [#FIRST], a greater one runs
/// earlier ([ADR 44](docs/adr/0044-priorities.md)). Stateless and thread-safe.
public final class Priority {
  public static final int LAST = -4;
  public static final int NORMAL = 0;
  public static final int FIRST = 4;

  /// Header of a published task with its priority in decimal. It goes before the field of
  /// [Task#getPriority], which a published task may have, too.
  public static final String HEADER = "taskbroker-priority";

  private static final int MAX_DIGITS = 9;

  private Priority() {}

  /// Whether the number is a priority.
  public static boolean isValid(int priority) {
    return priority >= LAST && priority <= FIRST;
  }

  /// The nearest priority.
  public static int nearest(int number) {
    return Math.clamp(number, LAST, FIRST);
  }

  /// The nearest priority to the number in a header; empty if it is no number.
  public static OptionalInt ofHeader(String text) {
    if (!text.matches("-?[0-9]{1," + MAX_DIGITS + "}")) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(nearest(Integer.parseInt(text)));
  }

  /// Whether a published task names a priority.
  static boolean isNamed(TaskActivation task) {
    UnknownFieldSet unknown = task.getUnknownFields();
    return task.containsHeaders(HEADER) || unknown.hasField(Task.PRIORITY_FIELD_NUMBER);
  }
}
