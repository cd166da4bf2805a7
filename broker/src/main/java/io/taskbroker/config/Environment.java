package io.taskbroker.config;

import io.taskbroker.config.ConfigNode.Items;
import io.taskbroker.config.ConfigNode.Scalar;
import io.taskbroker.config.ConfigNode.Section;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// Parser of environment variables: the prefix `TASKBROKER_`, then the keys in any case, nested by
/// two underscores (reference-spec 3.1).
///
/// A value is `true` or `false`, an integer, a decimal number, `[a,b]`, `{k=v,k2=v2}`, `"quoted
/// text"`, or otherwise text.
final class Environment {
  private static final String PREFIX = "TASKBROKER_";
  private static final int MAX_DEPTH = 32;
  private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]{1,40}");
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?([0-9]{1,40}\\.[0-9]{0,40}|\\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+");

  private final String text;
  private final String place;
  private int at;

  private Environment(String text, String place) {
    this.text = text;
    this.place = place;
  }

  static Section read(Map<String, String> environment) {
    Section root = Section.empty("environment");
    new TreeMap<>(environment)
        .forEach((name, value) -> {
          if (isOurs(name)) {
            String[] path =
                name.substring(PREFIX.length()).toLowerCase(Locale.ROOT).split("__", -1);
            Section one = Section.empty("environment");
            one.put(value(value, "environment variable " + name), path);
            root.overlay(one);
          }
        });
    return root;
  }

  static boolean isOurs(String name) {
    return name.regionMatches(true, 0, PREFIX, 0, PREFIX.length());
  }

  /// Value of one variable; a value that violates the list and map grammar is text.
  static ConfigNode value(String text, String place) {
    var reader = new Environment(text.strip(), place);
    Optional<ConfigNode> value = reader.value("", 0);
    return value
        .filter(_ -> reader.at == reader.text.length())
        .orElseGet(() -> new Scalar(text, place));
  }

  private Optional<ConfigNode> value(String ends, int depth) {
    skipSpace();
    if (at == text.length() || depth > MAX_DEPTH) {
      return Optional.of(new Scalar("", place));
    }
    return switch (text.charAt(at)) {
      case '[' -> list(depth);
      case '{' -> map(depth);
      case '"' -> quoted().map(value -> new Scalar(value, place));
      default -> Optional.of(bare(ends));
    };
  }

  private Optional<ConfigNode> list(int depth) {
    at++;
    List<ConfigNode> items = new ArrayList<>();
    if (accept(']')) {
      return Optional.of(new Items(items, place));
    }
    do {
      Optional<ConfigNode> item = value(",]", depth + 1);
      if (item.isEmpty()) {
        return item;
      }
      items.add(item.get());
    } while (accept(','));
    return accept(']') ? Optional.of(new Items(items, place)) : Optional.empty();
  }

  private Optional<ConfigNode> map(int depth) {
    at++;
    Section section = Section.empty(place);
    if (accept('}')) {
      return Optional.of(section);
    }
    do {
      Optional<String> key = key();
      if (key.isEmpty() || !accept('=')) {
        return Optional.empty();
      }
      Optional<ConfigNode> value = value(",}", depth + 1);
      if (value.isEmpty()) {
        return value;
      }
      section.entries().put(key.get(), value.get());
    } while (accept(','));
    return accept('}') ? Optional.of(section) : Optional.empty();
  }

  private Optional<String> key() {
    skipSpace();
    if (at < text.length() && text.charAt(at) == '"') {
      return quoted();
    }
    var name = NAME.matcher(text).region(at, text.length());
    if (!name.lookingAt()) {
      return Optional.empty();
    }
    at = name.end();
    return Optional.of(name.group());
  }

  private Optional<String> quoted() {
    var value = new StringBuilder();
    for (int i = at + 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"') {
        at = i + 1;
        skipSpace();
        return Optional.of(value.toString());
      }
      if (c == '\\' && i + 1 < text.length()) {
        i++;
        c =
            switch (text.charAt(i)) {
              case 'n' -> '\n';
              case 't' -> '\t';
              case 'r' -> '\r';
              default -> text.charAt(i);
            };
      }
      value.append(c);
    }
    return Optional.empty();
  }

  private Scalar bare(String ends) {
    int end = at;
    while (end < text.length() && ends.indexOf(text.charAt(end)) < 0) {
      end++;
    }
    String value = text.substring(at, end).strip();
    at = end;
    if (value.equals("true") || value.equals("false")) {
      return new Scalar(value.equals("true"), place);
    }
    if (INTEGER.matcher(value).matches()) {
      return new Scalar(new BigInteger(value), place);
    }
    if (NUMBER.matcher(value).matches()) {
      return new Scalar(Double.valueOf(value), place);
    }
    return new Scalar(value, place);
  }

  private boolean accept(char wanted) {
    skipSpace();
    if (at < text.length() && text.charAt(at) == wanted) {
      at++;
      skipSpace();
      return true;
    }
    return false;
  }

  private void skipSpace() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }
}
