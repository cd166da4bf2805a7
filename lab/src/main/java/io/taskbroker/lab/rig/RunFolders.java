package io.taskbroker.lab.rig;

import io.taskbroker.cli.CommandException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Output directory of a command.
public final class RunFolders {
  private RunFolders() {}

  /// An empty directory: the requested one, created if missing, or a temporary one.
  ///
  /// @param command name for the temporary directory and for error messages
  /// @throws CommandException if it cannot be created or is not empty
  public static Path empty(Optional<Path> asked, String command) {
    try {
      if (asked.isEmpty()) {
        return Files.createTempDirectory("taskbroker-" + command + "-");
      }
      Path made = Files.createDirectories(asked.get().toAbsolutePath());
      try (var content = Files.list(made)) {
        if (content.findAny().isPresent()) {
          throw new CommandException(
              "directory " + asked.get() + " is not empty; name another with --dir");
        }
      }
      return made;
    } catch (IOException e) {
      throw new CommandException("directory for the " + command + " cannot be created: " + e, e);
    }
  }
}
