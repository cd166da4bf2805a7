package io.taskbroker.lab.soak;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Result of a soak, as text and as JSON.
///
/// @param facts about the whole run, in order of output
/// @param problems failed expectations
record Report(
    Map<String, Object> facts,
    List<Incident> incidents,
    ResultCheck check,
    List<Growth.Change> changes,
    BrokerLog log,
    List<String> problems) {
  private static final int MAX_PROBLEMS = 30;
  private static final int MAX_WARNINGS = 12;

  Report {
    facts = new LinkedHashMap<>(facts);
    incidents = List.copyOf(incidents);
    changes = List.copyOf(changes);
    problems = List.copyOf(problems);
  }

  boolean isGood() {
    return problems.isEmpty();
  }

  private Map<String, Integer> faults() {
    var faults = new TreeMap<String, Integer>();
    incidents.forEach(incident -> faults.merge(incident.kind().toString(), 1, Integer::sum));
    return faults;
  }

  String text() {
    var lines = new ArrayList<String>();
    facts.forEach((name, value) -> lines.add("%-34s %s".formatted(name, shown(value))));
    lines.add("");
    lines.add("faults        " + counts(faults()));
    lines.add("ends          " + counts(check.ends()));
    lines.add("runs repeated " + counts(check.repeats()));
    lines.add(
        "missing %,d; completed and dead-lettered or demoted %,d; dead letters or demoted tasks more than once %,d"
            .formatted(check.missing(), check.endedTwice(), check.copies()));
    lines.add("");
    for (Growth.Change change : changes) {
      lines.add(
          "%-34s %,15d → %,15d   may grow by %,d%s"
              .formatted(
                  change.what(),
                  change.before(),
                  change.after(),
                  change.allowed(),
                  change.isFlat() ? "" : "   GREW"));
    }
    lines.add("");
    lines.add(
        "errors in the log                  %,d, not explained by a fault: %,d"
            .formatted(log.errors(), log.unexpected().size()));
    log.warnings().entrySet().stream()
        .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
        .limit(MAX_WARNINGS)
        .forEach(warning -> lines.add("%,7d × %s".formatted(warning.getValue(), warning.getKey())));
    lines.add("");
    problems.stream().limit(MAX_PROBLEMS).forEach(problem -> lines.add("PROBLEM: " + problem));
    if (problems.size() > MAX_PROBLEMS) {
      lines.add("and %,d more".formatted(problems.size() - MAX_PROBLEMS));
    }
    lines.add(
        problems.isEmpty() ? "Everything is as it should be." : "Not all is as it should be.");
    return String.join(System.lineSeparator(), lines);
  }

  private static String shown(Object value) {
    return switch (value) {
      case Long number -> "%,15d".formatted(number);
      case Integer number -> "%,15d".formatted(number);
      default -> value.toString();
    };
  }

  private static String counts(Map<String, Integer> counts) {
    return counts.isEmpty()
        ? "none"
        : counts.entrySet().stream()
            .map(entry -> "%s %,d".formatted(entry.getKey(), entry.getValue()))
            .collect(Collectors.joining(", "));
  }

  /// @param samples of all processes
  String json(List<Sample> samples) {
    var json = new LinkedHashMap<String, Object>();
    json.put("good", isGood());
    json.put("facts", facts);
    json.put("faults", faults());
    json.put("ends", check.ends());
    json.put("repeated", check.repeats());
    json.put("missing", check.missing());
    json.put("ended_twice", check.endedTwice());
    json.put("copies", check.copies());
    json.put("growth", changes.stream().map(Report::map).toList());
    json.put("unexpected_errors", log.unexpected());
    json.put("warnings", log.warnings());
    json.put("problems", problems);
    json.put("incidents", incidents.stream().map(Report::map).toList());
    json.put("samples", samples.stream().map(Report::map).toList());
    return Json.of(json);
  }

  private static Map<String, Object> map(Growth.Change change) {
    var map = new LinkedHashMap<String, Object>();
    map.put("what", change.what());
    map.put("before", change.before());
    map.put("after", change.after());
    map.put("allowed", change.allowed());
    return map;
  }

  private static Map<String, Object> map(Incident incident) {
    var map = new LinkedHashMap<String, Object>();
    map.put("fault", incident.toString());
    map.put("from_s", incident.begin() / 1e9);
    map.put("until_s", incident.end() / 1e9);
    return map;
  }

  private static Map<String, Object> map(Sample sample) {
    var map = new LinkedHashMap<String, Object>();
    map.put("at_s", sample.at() / 1e9);
    map.put("pid", sample.pid());
    map.put("resident_bytes", sample.residentBytes());
    map.put("threads", sample.threads());
    map.put("files", sample.files());
    map.put("database_bytes", sample.databaseBytes());
    return map;
  }
}
