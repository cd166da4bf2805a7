package io.taskbroker.lab.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Errors and warnings in the logs of the broker processes, and which errors no fault explains.
///
/// @param errors lines at ERROR, or about the end of a thread or the process
/// @param unexpected errors without an explaining fault, and stack traces
/// @param warnings number of occurrences by text, with numbers and names removed
record BrokerLog(int errors, List<String> unexpected, Map<String, Integer> warnings) {
  private static final Pattern ERROR =
      Pattern.compile("\\S+ ERROR .*|taskbroker: .*|Exception in .*");
  private static final Pattern WARNING = Pattern.compile("\\S+ WARN +(.*)");
  private static final Pattern TRACE = Pattern.compile("\\s+at .*|Caused by: .*");
  private static final Pattern PARTICULARS = Pattern.compile("\\S*\\d\\S*");
  private static final int WARNING_LENGTH = 100;

  /// Expected complaints, with the faults that cause them.
  private static final Map<Pattern, Set<FaultKind>> EXPECTED =
      Map.of(
          Pattern.compile("Kafka at \\S+ does not answer"),
          EnumSet.of(FaultKind.KAFKA_GONE, FaultKind.KILL_IN_OUTAGE),
          // A member that is silent for longer than its session is expelled from its group.
          Pattern.compile("Offset commit failed .* The coordinator is not aware of this member"),
          EnumSet.of(FaultKind.FREEZE, FaultKind.KAFKA_GONE, FaultKind.KILL_IN_OUTAGE),
          Pattern.compile("not valid YAML"),
          EnumSet.of(FaultKind.RULES));

  BrokerLog {
    unexpected = List.copyOf(unexpected);
    warnings = Map.copyOf(warnings);
  }

  static BrokerLog read(Path file, List<Incident> incidents) {
    Set<FaultKind> happened = incidents.stream().map(Incident::kind).collect(Collectors.toSet());
    try (var lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
      return of(lines.toList(), happened);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read the broker's log " + file, e);
    }
  }

  static BrokerLog of(List<String> lines, Set<FaultKind> happened) {
    int errors = 0;
    var unexpected = new ArrayList<String>();
    var warnings = new TreeMap<String, Integer>();
    for (String line : lines) {
      Matcher warning = WARNING.matcher(line);
      if (ERROR.matcher(line).matches()) {
        errors++;
        if (!isExpected(line, happened)) {
          unexpected.add(line);
        }
      } else if (TRACE.matcher(line).matches()) {
        unexpected.add(line.strip());
      } else if (warning.matches()) {
        String words = PARTICULARS.matcher(warning.group(1)).replaceAll("…");
        warnings.merge(
            words.substring(0, Math.min(WARNING_LENGTH, words.length())), 1, Integer::sum);
      }
    }
    return new BrokerLog(errors, unexpected, warnings);
  }

  private static boolean isExpected(String line, Set<FaultKind> happened) {
    return EXPECTED.entrySet().stream()
        .anyMatch(entry ->
            entry.getKey().matcher(line).find()
                && entry.getValue().stream().anyMatch(happened::contains));
  }
}
