package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// The incidents of docs/runbook.md: their commands, which a test runs on its broker. Confined to
/// one thread.
final class Runbook {
  private static final Path DOCUMENT = Path.of("../docs/runbook.md");

  /// An argument of a command: quoted, or without white space.
  private static final Pattern ARGUMENT = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  private final int adminPort;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  Runbook(int adminPort) {
    this.adminPort = adminPort;
  }

  /// Text of each incident.
  static List<String> incidents() throws IOException {
    String incidents = Files.readString(DOCUMENT).split("\n## Incidents\n", -1)[1];
    return List.of(incidents.split("\n### ", -1)).stream().skip(1).toList();
  }

  /// Commands of an incident, in order.
  static List<String> commands(String title) throws IOException {
    return incidents().stream()
        .filter(incident -> incident.startsWith(title + "\n"))
        .map(Runbook::commandsOf)
        .findFirst()
        .orElseThrow();
  }

  static List<String> commandsOf(String incident) {
    String[] parts = incident.split("```(?:sh)?\n", -1);
    return parts.length < 2 ? List.of() : parts[1].lines().toList();
  }

  /// Runs a command on a broker, and returns its exit code.
  int run(BrokerSetup setup, String command) {
    return run(setup, command, Map.of());
  }

  /// The same with other words in the place of some of the document.
  int run(BrokerSetup setup, String command, Map<String, String> words) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    List<String> arguments = new ArrayList<>();
    ARGUMENT
        .matcher(command)
        .results()
        .map(word -> word.group(1) == null ? word.group(2) : word.group(1))
        .map(word -> word.equals("config.yaml") ? setup.config().toString() : word)
        .map(word -> words.getOrDefault(word, word))
        .forEach(arguments::add);
    if (!arguments.getFirst().equals("taskbroker")) {
      return runProgram(arguments);
    }
    arguments.removeFirst();
    if (!arguments.contains("-c")) {
      arguments.addAll(List.of("--admin", "http://127.0.0.1:" + adminPort));
    }
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(arguments.toArray(String[]::new));
  }

  private int runProgram(List<String> arguments) {
    try {
      Process program = new ProcessBuilder(arguments).redirectErrorStream(true).start();
      program.getOutputStream().close();
      out.append(new String(program.getInputStream().readAllBytes(), UTF_8));
      return program.waitFor();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(arguments.toString(), e);
    }
  }

  /// Runs a command that must succeed, and returns its output.
  String succeed(BrokerSetup setup, String command) {
    return succeed(setup, command, Map.of());
  }

  String succeed(BrokerSetup setup, String command, Map<String, String> words) {
    assertThat(run(setup, command, words)).as(err.toString() + out).isZero();
    return out.toString();
  }

  /// Runs a program of the document, which must succeed, by another command.
  String succeedInside(List<String> other, String command, Map<String, String> words) {
    out.getBuffer().setLength(0);
    List<String> arguments = new ArrayList<>(other);
    for (String word : command.split(" ", -1)) {
      arguments.add(words.getOrDefault(word, word));
    }
    assertThat(runProgram(arguments)).as(out.toString()).isZero();
    return out.toString();
  }

  /// Output of the last command.
  String out() {
    return out.toString();
  }

  /// First word of the first line below the header that the last command printed.
  String firstId() {
    return out.toString().lines().skip(1).findFirst().orElseThrow().split(" ", 2)[0];
  }
}
