package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Alert rules of `deploy/monitoring`, evaluated on the pages that a broker really served. Reads
/// the forms of expression that these rules use: a gauge, or the increase of a counter, compared
/// with a number; a rule holds if it holds for one series. `promtool test rules` checks the rest.
final class AlertRules {
  private static final Pattern RULE = Pattern.compile("- alert: (\\w+)\\s+expr: (.+)\\n");
  private static final Pattern EXPRESSION =
      Pattern.compile(
          "(?:sum by \\([a-z, ]+\\) \\()?(increase\\()?(taskbroker_[a-z_]+)"
              + "(?:\\{(\\w+=\"\\w+\")})?(?:\\[\\w+]\\))?\\)? (==|>) ([0-9]+)");

  private final Map<String, String> expressions = new HashMap<>();

  AlertRules() throws IOException {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("deploy/monitoring/alerts.yaml"))) {
      root = Objects.requireNonNull(root.getParent());
    }
    RULE.matcher(Files.readString(root.resolve("deploy/monitoring/alerts.yaml")))
        .results()
        .forEach(rule -> expressions.put(rule.group(1), rule.group(2)));
  }

  /// Whether the expression of an alert is true.
  ///
  /// @param before page of `/metrics` from before the fault
  /// @param now the present page
  boolean fires(String alert, String before, String now) {
    Matcher rule = EXPRESSION.matcher(expressions.getOrDefault(alert, ""));
    assertThat(rule.matches()).as("%s: %s", alert, expressions.get(alert)).isTrue();
    String selector = rule.group(3) == null ? "" : rule.group(3);
    double limit = Double.parseDouble(rule.group(5));
    Map<String, Double> earlier =
        rule.group(1) == null ? Map.of() : samples(before, rule.group(2), selector);
    return samples(now, rule.group(2), selector).entrySet().stream()
        .filter(sample -> rule.group(1) == null || earlier.containsKey(sample.getKey()))
        .mapToDouble(sample -> sample.getValue() - earlier.getOrDefault(sample.getKey(), 0.0))
        .anyMatch(value -> rule.group(4).equals(">") ? value > limit : value == limit);
  }

  private static Map<String, Double> samples(String page, String name, String selector) {
    var samples = new HashMap<String, Double>();
    page.lines()
        .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
        .filter(line -> line.contains(selector))
        .forEach(line -> {
          int end = line.lastIndexOf(' ');
          samples.put(line.substring(0, end), Double.parseDouble(line.substring(end + 1)));
        });
    return samples;
  }
}
