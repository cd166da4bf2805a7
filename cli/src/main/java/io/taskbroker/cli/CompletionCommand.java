package io.taskbroker.cli;

import java.util.Locale;
import java.util.Map;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Prints a script that completes commands and options in a shell.
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Prints a completion script.",
      "bash, zsh: source <(taskbroker completion)",
      "fish: taskbroker completion --shell fish | source"
    })
final class CompletionCommand implements Runnable {
  /// Shells with a script; that of bash serves zsh, too.
  enum Shell {
    BASH,
    ZSH,
    FISH;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--shell",
      paramLabel = "SHELL",
      defaultValue = "bash",
      description = "Shell: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Shell shell = Shell.BASH;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    CommandLine root = spec.root().commandLine();
    String name = spec.root().name();
    spec.commandLine()
        .getOut()
        .print(shell == Shell.FISH ? fish(name, root) : AutoComplete.bash(name, root));
    spec.commandLine().getOut().flush();
  }

  private static String fish(String name, CommandLine root) {
    var script = new StringBuilder("complete -c " + name + " -f\n");
    for (Map.Entry<String, CommandLine> command : root.getSubcommands().entrySet()) {
      CommandSpec spec = command.getValue().getCommandSpec();
      script.append(
          "complete -c %s -n __fish_use_subcommand -a %s -d '%s'\n"
              .formatted(name, command.getKey(), text(spec.usageMessage().description())));
      for (OptionSpec option : spec.options()) {
        script.append(
            "complete -c %s -n '__fish_seen_subcommand_from %s'%s -d '%s'\n"
                .formatted(name, command.getKey(), names(option), text(option.description())));
      }
    }
    return script.toString();
  }

  private static String names(OptionSpec option) {
    var names = new StringBuilder();
    for (String name : option.names()) {
      names.append(name.startsWith("--") ? " -l " + name.substring(2) : " -s " + name.substring(1));
    }
    return names + (option.arity().max() > 0 ? " -r" : "");
  }

  /// First line, without what the shell or picocli would expand.
  private static String text(String... description) {
    return description.length == 0 ? "" : description[0].replaceAll("['\\\\]|\\$\\{[^}]*}", "");
  }
}
