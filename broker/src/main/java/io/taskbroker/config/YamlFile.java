package io.taskbroker.config;

import io.taskbroker.config.ConfigException.Problem;
import io.taskbroker.config.ConfigNode.Items;
import io.taskbroker.config.ConfigNode.Scalar;
import io.taskbroker.config.ConfigNode.Section;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLParser;

/// YAML parser that records the location of each value. Bounded in size, depth and number of
/// values, so that aliases cannot exhaust memory.
final class YamlFile {
  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_DEPTH = 32;
  private static final int MAX_NODES = 100_000;

  /// Optional tag and anchor before a value.
  private static final Pattern ANCHOR = Pattern.compile("(?:!\\S*\\s+)?&([^\\s,\\[\\]{}]+)");

  private final Path file;
  private final String text;
  private final YAMLParser parser;
  private final Map<String, ConfigNode> anchors = new HashMap<>();
  private int nodes;

  /// The same position in the text, in code points and in chars.
  private int codePoints;

  private int chars;

  private YamlFile(Path file, String text, YAMLParser parser) {
    this.file = file;
    this.text = text;
    this.parser = parser;
  }

  /// @throws ConfigException with one problem, if the file is unreadable or invalid
  static Section read(Path file) {
    return read(file, bytes(file));
  }

  /// @param file source of the bytes, for messages
  /// @throws ConfigException with one problem, if they are invalid
  static Section read(Path file, byte[] bytes) {
    String text = text(file, bytes);
    try (var parser =
        (YAMLParser) new YAMLFactory().createParser(ObjectReadContext.empty(), text)) {
      return new YamlFile(file, text, parser).document();
    } catch (JacksonException e) {
      throw problem(place(file, e.getLocation()), "not valid YAML: " + withoutSource(e));
    }
  }

  private Section document() {
    JsonToken first = next();
    if (first == null || first == JsonToken.VALUE_NULL) {
      return Section.empty(file.toString());
    }
    if (first != JsonToken.START_OBJECT) {
      throw problem(place(), "must be a map of keys");
    }
    Section section = section(0);
    if (next() != null) {
      throw problem(place(), "must hold a single YAML document");
    }
    return section;
  }

  private ConfigNode value(JsonToken token, int depth) {
    if (depth > MAX_DEPTH) {
      throw problem(place(), "nested more than " + MAX_DEPTH + " deep");
    }
    count(1);
    if (parser.isCurrentAlias()) {
      ConfigNode target = anchors.get(parser.getString());
      if (target == null) {
        // The text is not shown: it may be an unquoted secret.
        throw problem(
            place(), "begins with * but is not an alias of a value above: quote such text");
      }
      return copy(target);
    }
    Optional<String> anchor = anchor();
    ConfigNode node =
        switch (token) {
          case START_OBJECT -> section(depth);
          case START_ARRAY -> items(depth);
          case VALUE_STRING -> new Scalar(parser.getString(), place());
          case VALUE_NUMBER_INT -> new Scalar(parser.getBigIntegerValue(), place());
          case VALUE_NUMBER_FLOAT -> new Scalar(parser.getDoubleValue(), place());
          case VALUE_TRUE -> new Scalar(true, place());
          case VALUE_FALSE -> new Scalar(false, place());
          case VALUE_NULL -> new Scalar(null, place());
          default -> throw problem(place(), "must be text, a number, a list or a map");
        };
    anchor.ifPresent(name -> anchors.put(name, node));
    return node;
  }

  /// Anchor of the current value, searched in the text because the parser loses the anchors of
  /// scalars.
  private Optional<String> anchor() {
    int points = (int) parser.currentTokenLocation().getCharOffset();
    chars = text.offsetByCodePoints(chars, points - codePoints);
    codePoints = points;
    var anchor = ANCHOR.matcher(text).region(chars, text.length());
    return anchor.lookingAt() ? Optional.of(anchor.group(1)) : Optional.empty();
  }

  private Section section(int depth) {
    Section section = Section.empty(place());
    for (JsonToken token = next(); token != JsonToken.END_OBJECT; token = next()) {
      String key = parser.currentName();
      String place = place();
      ConfigNode value = value(required(next()), depth + 1);
      if (section.entries().put(key, value) != null) {
        throw problem(place, "key " + key + " occurs twice");
      }
    }
    return section;
  }

  private Items items(int depth) {
    var items = new ArrayList<ConfigNode>();
    var list = new Items(items, place());
    for (JsonToken token = next(); token != JsonToken.END_ARRAY; token = next()) {
      items.add(value(required(token), depth + 1));
    }
    return list;
  }

  /// Deep copy, because merging changes sections.
  private ConfigNode copy(ConfigNode node) {
    count(1);
    return switch (node) {
      case Scalar scalar -> scalar;
      case Items(var items, var place) ->
          new Items(items.stream().map(this::copy).collect(Collectors.toList()), place);
      case Section(var entries, var place) -> {
        Section copy = Section.empty(place);
        entries.forEach((key, value) -> copy.entries().put(key, copy(value)));
        yield copy;
      }
    };
  }

  private void count(int more) {
    nodes += more;
    if (nodes > MAX_NODES) {
      throw problem(place(), "more than " + MAX_NODES + " values, aliases included");
    }
  }

  private @Nullable JsonToken next() {
    return parser.nextToken();
  }

  private JsonToken required(@Nullable JsonToken token) {
    if (token == null) {
      throw problem(place(), "ends too early");
    }
    return token;
  }

  private String place() {
    return place(file, parser.currentTokenLocation());
  }

  private static String place(Path file, @Nullable TokenStreamLocation location) {
    return location == null || location.getLineNr() < 1
        ? file.toString()
        : file + ":" + location.getLineNr() + ":" + location.getColumnNr();
  }

  private static byte[] bytes(Path file) {
    try (var in = Files.newInputStream(file)) {
      return in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException _) {
      throw problem(file.toString(), "no such configuration file");
    } catch (IOException e) {
      throw problem(file.toString(), "cannot read the configuration file: " + e.getMessage());
    }
  }

  private static String text(Path file, byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      throw problem(file.toString(), "larger than " + MAX_BYTES + " bytes");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException _) {
      throw problem(file.toString(), "not UTF-8 text");
    }
  }

  /// Parser message without the indented source lines that it quotes, which may hold secrets.
  private static String withoutSource(JacksonException e) {
    return e.getOriginalMessage()
        .lines()
        .filter(line -> !line.isBlank() && !line.startsWith(" "))
        .limit(4)
        .collect(Collectors.joining("; "));
  }

  private static ConfigException problem(String place, String what) {
    return new ConfigException(List.of(Problem.ofFile(place, what)));
  }
}
