package io.taskbroker.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Runs the broker in this process until it is stopped by a signal.
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Runs the broker.")
final class ServeCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private ServeOptions options;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    return options.orElse(main.options()).run(spec.commandLine().getErr());
  }
}
