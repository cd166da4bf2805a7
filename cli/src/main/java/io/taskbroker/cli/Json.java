package io.taskbroker.cli;

import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Writer of a JSON object from arguments of the command line. Stateless.
final class Json {
  private static final Pattern LITERAL =
      Pattern.compile("true|false|null|-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");

  private Json() {}

  /// Object with these members: numbers, `true`, `false` and `null` as they are, all else as text.
  static String object(Map<String, String> members) {
    return members.entrySet().stream()
        .map(member -> quoted(member.getKey()) + ":" + value(member.getValue()))
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static String value(String text) {
    return LITERAL.matcher(text).matches() ? text : quoted(text);
  }

  static String quoted(String text) {
    var quoted = new StringBuilder("\"");
    text.chars()
        .forEach(c -> {
          if (c == '"' || c == '\\') {
            quoted.append('\\').append((char) c);
          } else if (c < ' ') {
            quoted.append("\\u%04x".formatted(c));
          } else {
            quoted.append((char) c);
          }
        });
    return quoted.append('"').toString();
  }
}
