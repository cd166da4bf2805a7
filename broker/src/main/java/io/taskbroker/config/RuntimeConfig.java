package io.taskbroker.config;

import io.taskbroker.config.ConfigNode.Items;
import io.taskbroker.config.ConfigNode.Scalar;
import io.taskbroker.config.ConfigNode.Section;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/// Contents of the file of `runtime_config_path`: the part of the configuration that can change
/// while the broker runs (reference-spec 3.7). Immutable.
///
/// @param killswitches tasks that are switched off
/// @param demotedNamespaces namespaces whose tasks are forwarded
/// @param demotedCluster bootstrap servers of the target cluster
/// @param demotedTopic target topic
public record RuntimeConfig(
    List<Killswitch> killswitches,
    Set<String> demotedNamespaces,
    Optional<String> demotedCluster,
    Optional<String> demotedTopic) {

  private static final String KILLSWITCH = "drop_task_killswitch";
  private static final String NAMESPACES = "demoted_namespaces";
  private static final String CLUSTER = "demoted_topic_cluster";
  private static final String TOPIC = "demoted_topic";
  private static final Set<String> KEYS = Set.of(KILLSWITCH, NAMESPACES, CLUSTER, TOPIC);

  private static final String NAME = "name";
  private static final String ARGUMENTS = "select_arg";
  private static final String KEYWORD_ARGUMENTS = "select_kwarg";
  private static final Set<String> RULE_KEYS = Set.of(NAME, ARGUMENTS, KEYWORD_ARGUMENTS);

  private static final Pattern SERVERS =
      Pattern.compile("\\s*[^\\s,:]+(:[0-9]{1,5})?\\s*(,\\s*[^\\s,:]+(:[0-9]{1,5})?\\s*)*");
  private static final Pattern TOPIC_NAME = Pattern.compile("[A-Za-z0-9._-]{1,249}");

  public RuntimeConfig {
    killswitches = List.copyOf(killswitches);
    demotedNamespaces = Set.copyOf(demotedNamespaces);
  }

  /// Killswitch rule: matches a task by name, or by name and argument values: one of its arguments
  /// has one of the values.
  ///
  /// @param always whether it matches regardless of arguments
  /// @param arguments values by argument position, from 0
  public record Killswitch(
      String task,
      boolean always,
      Map<Integer, Literal> arguments,
      Map<String, Literal> keywordArguments) {
    public Killswitch {
      arguments = Map.copyOf(arguments);
      keywordArguments = Map.copyOf(keywordArguments);
    }
  }

  /// Reads and parses the file.
  ///
  /// @param warnings receives oddities that do not prevent use
  /// @throws ConfigException if it is unreadable or invalid
  public static RuntimeConfig load(Path file, Consumer<String> warnings) {
    return parse(YamlFile.read(file), warnings);
  }

  /// Parses the file's content.
  ///
  /// @param file file name, for messages
  /// @param warnings receives oddities that do not prevent use
  /// @throws ConfigException if it is invalid; nothing of it may be used then
  public static RuntimeConfig parse(Path file, byte[] content, Consumer<String> warnings) {
    return parse(YamlFile.read(file, content), warnings);
  }

  private static RuntimeConfig parse(Section section, Consumer<String> warnings) {
    var problems = new Problems();
    warnOfUnknown(section, "", KEYS, warnings);
    List<Killswitch> killswitches = new ArrayList<>();
    List<ConfigNode> rules = required(section, KILLSWITCH, problems);
    for (int i = 0; i < rules.size(); i++) {
      killswitch(rules.get(i), KILLSWITCH + "[" + i + "]", problems, warnings)
          .ifPresent(killswitches::add);
    }
    Set<String> namespaces = new LinkedHashSet<>();
    List<ConfigNode> demoted = required(section, NAMESPACES, problems);
    for (int i = 0; i < demoted.size(); i++) {
      // As in the reference, null means the unnamed namespace.
      Optional<String> name =
          demoted.get(i).isNull()
              ? Optional.of("")
              : text(demoted.get(i), NAMESPACES + "[" + i + "]", problems);
      name.ifPresent(namespaces::add);
    }
    var config =
        new RuntimeConfig(
            killswitches,
            namespaces,
            optional(
                section,
                CLUSTER,
                SERVERS,
                "must be host:port, or several separated by commas",
                problems),
            optional(section, TOPIC, TOPIC_NAME, "must be the name of a topic", problems));
    problems.throwIfAny();
    return config;
  }

  private static Optional<Killswitch> killswitch(
      ConfigNode node, String key, Problems problems, Consumer<String> warnings) {
    if (!(node instanceof Section rule)) {
      return text(node, key, problems).map(name -> new Killswitch(name, true, Map.of(), Map.of()));
    }
    warnOfUnknown(rule, key + ".", RULE_KEYS, warnings);
    Optional<ConfigNode> named = rule.at(NAME);
    if (named.isEmpty()) {
      problems.add(key + "." + NAME, "", "is missing: must be the name of a task");
      return Optional.empty();
    }
    Map<Integer, Literal> arguments = new LinkedHashMap<>();
    values(rule, ARGUMENTS, key, problems)
        .forEach((index, value) ->
            index(index, value, key + "." + ARGUMENTS, problems)
                .ifPresent(i -> arguments.put(i, literal(value))));
    Map<String, Literal> keywordArguments = new LinkedHashMap<>();
    values(rule, KEYWORD_ARGUMENTS, key, problems)
        .forEach((name, value) -> keywordArguments.put(name, literal(value)));
    if (arguments.isEmpty() && keywordArguments.isEmpty()) {
      warnings.accept(
          rule.place()
              + ": "
              + key
              + " has no condition and matches nothing; to switch the task off, write only its"
              + " name");
    }
    return text(named.get(), key + "." + NAME, problems)
        .map(name -> new Killswitch(name, false, arguments, keywordArguments));
  }

  private static Map<String, ConfigNode> values(
      Section rule, String name, String key, Problems problems) {
    Optional<ConfigNode> node = rule.at(name).filter(given -> !given.isNull());
    if (node.isEmpty()) {
      return Map.of();
    }
    if (node.get() instanceof Section values) {
      return values.entries();
    }
    problems.add(key + "." + name, node.get(), false, "must be a map such as {name: value}");
    return Map.of();
  }

  private static Optional<Integer> index(
      String written, ConfigNode node, String key, Problems problems) {
    if (written.matches("[0-9]{1,9}")) {
      return Optional.of(Integer.parseInt(written));
    }
    problems.add(key + "." + written, node, false, "must have an argument position as key, from 0");
    return Optional.empty();
  }

  private static List<ConfigNode> required(Section section, String key, Problems problems) {
    Optional<ConfigNode> node = section.at(key);
    if (node.isEmpty()) {
      problems.add(key, "", "is missing: must be a list, which may be empty, such as []");
      return List.of();
    }
    if (node.get() instanceof Items(var items, _)) {
      return items;
    }
    if (!node.get().isNull()) {
      problems.add(key, node.get(), false, "must be a list such as [a, b]");
    }
    return List.of();
  }

  private static Optional<String> optional(
      Section section, String key, Pattern pattern, String allowed, Problems problems) {
    Optional<ConfigNode> node = section.at(key).filter(given -> !given.isNull());
    if (node.isEmpty()) {
      return Optional.empty();
    }
    if (node.get() instanceof Scalar(String text, _) && pattern.matcher(text).matches()) {
      return Optional.of(text);
    }
    problems.add(key, node.get(), false, allowed + ", or null");
    return Optional.empty();
  }

  private static Optional<String> text(ConfigNode node, String key, Problems problems) {
    if (node instanceof Scalar(String text, _)) {
      return Optional.of(text);
    }
    problems.add(key, node, false, "must be text; quote it if it looks like a number");
    return Optional.empty();
  }

  private static Literal literal(ConfigNode node) {
    return switch (node) {
      case Items(var items, _) ->
          new Literal.Items(items.stream().map(RuntimeConfig::literal).toList());
      case Section(var entries, _) -> {
        var fields = new LinkedHashMap<String, Literal>();
        entries.forEach((name, value) -> fields.put(name, literal(value)));
        yield new Literal.Fields(fields);
      }
      case Scalar(String text, _) -> new Literal.Text(text);
      case Scalar(Boolean bool, _) -> new Literal.Bool(bool);
      case Scalar(BigInteger number, _) -> new Literal.Whole(number);
      case Scalar(Double number, _) -> new Literal.Real(number);
      case Scalar _ -> Literal.Nil.NIL;
    };
  }

  private static void warnOfUnknown(
      Section section, String prefix, Set<String> known, Consumer<String> warnings) {
    section
        .entries()
        .forEach((name, node) -> {
          if (!known.contains(name)) {
            warnings.accept(node.place() + ": unknown key " + prefix + name + " has no effect");
          }
        });
  }
}
