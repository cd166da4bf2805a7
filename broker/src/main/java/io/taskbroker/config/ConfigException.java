package io.taskbroker.config;

import java.util.List;
import java.util.stream.Collectors;

/// Invalid configuration: all problems, one per line, without secrets.
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<Problem> problems;

  ConfigException(List<Problem> problems) {
    super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    this.problems = List.copyOf(problems);
  }

  /// Exception for one value that was read but is unavailable.
  public static ConfigException of(String key, String value, String allowed) {
    return new ConfigException(List.of(new Problem(key, value, allowed, "")));
  }

  public List<Problem> problems() {
    return problems;
  }

  /// One configuration problem.
  ///
  /// @param key key as written; empty if it concerns the whole file
  /// @param value value as written, hidden if it is a secret; empty if absent
  /// @param allowed description of valid values
  /// @param place file, line and column, or the environment variable; empty if the value is absent
  public record Problem(String key, String value, String allowed, String place) {
    static Problem ofFile(String place, String what) {
      return new Problem("", "", what, place);
    }

    @Override
    public String toString() {
      if (key.isEmpty()) {
        return place + ": " + allowed;
      }
      String what = value.isEmpty() ? key + ": " : key + " = " + value + ": ";
      return what + allowed + (place.isEmpty() ? "" : " (" + place + ")");
    }
  }
}
