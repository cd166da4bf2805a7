package io.taskbroker.lab.rig;

import io.taskbroker.cli.CommandException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The directory that a run of a command fills.
public final class RunFolders {
  private RunFolders() {}

  /// An empty directory: the one that was asked for, made if it is missing, or a temporary one.
  ///
  /// @param command in the name of a temporary one, and in what is said if there can be none
  /// @throws CommandException if it cannot be made, or is not empty
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
      throw new CommandException("directory for the " + command + " cannot be made: " + e, e);
    }
  }
}
