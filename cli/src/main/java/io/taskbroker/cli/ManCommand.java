package io.taskbroker.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Writes the man pages, for packages.
@Command(
    name = "man",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Writes the man pages of all commands into a folder.",
      "To read one: man DIR/taskbroker-tasks.1"
    })
final class ManCommand implements Runnable {
  @Parameters(paramLabel = "DIR", description = "Folder for the pages; created if it is missing.")
  private Path dir = Path.of("");

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    try {
      Files.createDirectories(dir);
      for (var page : ManPages.of(spec.root().commandLine()).entrySet()) {
        Files.writeString(dir.resolve(page.getKey() + ".1"), page.getValue());
      }
    } catch (IOException e) {
      throw new CommandException("cannot write the man pages to " + dir + ": " + e, e);
    }
  }
}
