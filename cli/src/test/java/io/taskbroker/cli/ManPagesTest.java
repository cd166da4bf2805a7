package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Each command has a man page that the formatter of man accepts, if it is installed.
final class ManPagesTest {
  @TempDir private Path dir;

  @Test
  void everyCommandHasAPageWithItsOptions() throws Exception {
    CommandLine root = Main.commandLine();
    assertThat(root.execute("man", dir.resolve("man1").toString())).isZero();
    var commands = new TreeSet<String>();
    check(root, commands);
    assertThat(commands)
        .contains(
            "taskbroker", "taskbroker-tasks", "taskbroker-dlq-replay", "taskbroker-rules-set");
    try (Stream<Path> files = Files.list(dir.resolve("man1"))) {
      List<String> names = files.map(file -> file.getFileName().toString()).toList();
      assertThat(names)
          .containsExactlyInAnyOrderElementsOf(commands.stream().map(each -> each + ".1").toList());
      assertFormatterAccepts();
    }
  }

  private void check(CommandLine command, TreeSet<String> commands) throws Exception {
    String name = command.getCommandSpec().qualifiedName("-");
    commands.add(name);
    String page = Files.readString(dir.resolve("man1").resolve(name + ".1"));
    assertThat(page).contains(".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS");
    assertThat(page).as("unresolved variables").doesNotContain("${");
    command
        .getCommandSpec()
        .options()
        .forEach(option ->
            assertThat(page).as(name).contains("\\fB" + option.longestName().replace("-", "\\-")));
    for (CommandLine child : command.getSubcommands().values()) {
      check(child, commands);
    }
  }

  private void assertFormatterAccepts() throws Exception {
    try (Stream<Path> pages = Files.list(dir.resolve("man1"))) {
      List<String> words =
          Stream.concat(
                  Stream.of("groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-z"),
                  pages.map(Path::toString).sorted())
              .toList();
      Process groff;
      try {
        groff = new ProcessBuilder(words).redirectErrorStream(true).start();
      } catch (java.io.IOException _) {
        System.out.println("There is no groff: the man pages were not formatted");
        return;
      }
      groff.getOutputStream().close();
      assertThat(new String(groff.getInputStream().readAllBytes(), UTF_8)).isEmpty();
      assertThat(groff.waitFor()).isZero();
    }
  }
}
