package io.taskbroker.config;

import java.util.List;
import java.util.stream.Collectors;

/// Everything that is wrong with a configuration, one line each; no secrets.
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<Problem> problems;

  ConfigException(List<Problem> problems) {
    super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    this.problems = List.copyOf(problems);
  }

  /// For one value that was read well, but cannot be had.
  public static ConfigException of(String key, String value, String allowed) {
    return new ConfigException(List.of(new Problem(key, value, allowed, "")));
  }

  public List<Problem> problems() {
    return problems;
  }

  /// One thing that is wrong.
  ///
  /// @param key the key as it was written; empty if the file as a whole is at fault
  /// @param value what was written, hidden if it is a secret; empty if nothing was
  /// @param allowed what would have been right
  /// @param place file, line and column, or the environment variable; empty if nothing was written
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
