package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Documents;
import io.taskbroker.telemetry.Declared.Channel;
import io.taskbroker.telemetry.Declared.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Alert rules and dashboards name only metrics and labels that the broker has, and each alert has
/// a unit test and a runbook entry.
final class MonitoringFilesTest {
  private static final Path FOLDER = Documents.root().resolve("deploy/monitoring");
  private static final Pattern SELECTOR = Pattern.compile("(taskbroker_[a-z_]+)(\\{[^}]*\\})?");
  private static final Pattern LABEL = Pattern.compile("([a-z_]+)\\s*(?:=~|!~|!=|=)");

  /// Labels that Prometheus adds.
  private static final Set<String> OF_TARGET = Set.of("instance", "job");

  private final Map<String, List<String>> known = known();

  @Test
  void alertsNameMetricsThatExist() throws IOException {
    List<String> expressions = find(rules(), "(?m)^ +expr: (.+)$");
    assertThat(expressions).hasSizeGreaterThan(15);
    expressions.forEach(this::check);
  }

  @Test
  void eachAlertHasATestAndARunbookEntry() throws IOException {
    String tests = Files.readString(FOLDER.resolve("alerts-test.yaml"));
    String runbook = Files.readString(Documents.root().resolve("docs/runbook.md"));
    for (String alert : find(rules(), "- alert: (\\w+)")) {
      assertThat(tests).contains("alertname: " + alert + "\n");
      assertThat(runbook).contains("\n### " + alert + "\n");
      assertThat(rules()).contains("runbook: docs/runbook.md#" + alert.toLowerCase(Locale.ROOT));
    }
  }

  @Test
  void dashboardsNameMetricsThatExist() throws IOException {
    List<Path> dashboards;
    try (Stream<Path> files = Files.list(FOLDER.resolve("dashboards"))) {
      dashboards = files.toList();
    }
    assertThat(dashboards).hasSize(4);
    for (Path file : dashboards) {
      JsonNode dashboard = new JsonMapper().readTree(Files.readString(file));
      var expressions = new ArrayList<String>();
      dashboard.findValuesAsString("expr").forEach(expressions::add);
      assertThat(expressions).as(file.toString()).hasSizeGreaterThan(7);
      expressions.forEach(this::check);
    }
  }

  private void check(String expression) {
    SELECTOR.matcher(expression).results().forEach(selector -> check(expression, selector));
  }

  private void check(String expression, MatchResult selector) {
    assertThat(known).as(expression).containsKey(selector.group(1));
    if (selector.group(2) != null) {
      assertThat(LABEL.matcher(selector.group(2)).results().map(label -> label.group(1)))
          .as(expression)
          .allMatch(label ->
              OF_TARGET.contains(label)
                  || known.getOrDefault(selector.group(1), List.of()).contains(label));
    }
  }

  /// Labels of each sample name at the Prometheus endpoint.
  private static Map<String, List<String>> known() {
    var names = new HashMap<String, List<String>>();
    for (Declared each : new Metrics().declared()) {
      if (each.channel() != Channel.STATSD) {
        names.put(each.exposed(), each.tags());
        if (each.kind() == Kind.HISTOGRAM) {
          List.of("_bucket", "_sum", "_count")
              .forEach(suffix -> names.put(each.exposed() + suffix, each.tags()));
        }
      }
    }
    return names;
  }

  private static String rules() throws IOException {
    return Files.readString(FOLDER.resolve("alerts.yaml"));
  }

  private static List<String> find(String text, String pattern) {
    return Pattern.compile(pattern).matcher(text).results().map(each -> each.group(1)).toList();
  }
}
