package io.taskbroker.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Fenced blocks of a Markdown page, in order. Languages: `sh` is typed, `text` is expected output,
/// all others are files whose first line is a comment with the path.
final class Page {
  private static final Pattern BLOCK =
      Pattern.compile("^```(\\w+)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern TERMINAL =
      Pattern.compile("# Terminal (\\d+)(: Ctrl-C, then)?\\n(.*)", Pattern.DOTALL);

  /// What a reader does with a block.
  sealed interface Step {
    /// Saves a file.
    record Save(String path, String content) implements Step {}

    /// Types commands and waits for their end.
    record Type(String commands) implements Step {}

    /// Starts commands in a terminal of their own.
    ///
    /// @param interrupt Ctrl-C for those that run there, first
    record Start(int terminal, boolean interrupt, String commands) implements Step {}

    /// Sees these lines: in a terminal, or in what was typed or started last.
    ///
    /// @param terminal 0 for the latter
    record Expect(int terminal, List<String> lines) implements Step {}
  }

  private Page() {}

  static List<Step> read(Path page) throws IOException {
    var steps = new ArrayList<Step>();
    Matcher block = BLOCK.matcher(Files.readString(page));
    while (block.find()) {
      String content = block.group(2);
      switch (block.group(1)) {
        case "mermaid" -> {}
        case "sh" -> steps.add(command(content));
        case "text" -> steps.add(expectation(content));
        default -> steps.add(file(content));
      }
    }
    return steps;
  }

  private static Step command(String content) {
    Matcher terminal = TERMINAL.matcher(content);
    if (!terminal.matches()) {
      return new Step.Type(content);
    }
    return new Step.Start(
        Integer.parseInt(terminal.group(1)), terminal.group(2) != null, terminal.group(3));
  }

  private static Step expectation(String content) {
    Matcher terminal = TERMINAL.matcher(content);
    return terminal.matches()
        ? new Step.Expect(Integer.parseInt(terminal.group(1)), terminal.group(3).lines().toList())
        : new Step.Expect(0, content.lines().toList());
  }

  private static Step file(String content) {
    String path = content.lines().findFirst().orElseThrow().substring("# ".length());
    return new Step.Save(path, content);
  }
}
