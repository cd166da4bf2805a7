package io.taskbroker.cli.demo;

import io.taskbroker.cli.CommandException;
import io.taskbroker.cli.rig.Folders;
import io.taskbroker.cli.rig.LibraryLog;
import io.taskbroker.cli.rig.Mode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Lets a broker work under load, and keeps what its JVM has learnt: loaded classes, and which of
/// the code is hot. A broker that starts with that is at full speed within seconds.
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the demo once, and writes what the JVM of its broker has learnt to a file, which"
          + " brokers of this installation start from: they are ready sooner, and fast at once.",
      "Takes half a minute. Does no harm to a broker that runs meanwhile, but for its share of the"
          + " processor."
    })
public final class TrainCommand implements Callable<Integer> {
  private static final int TASKS = 150_000;
  private static final int MILLIS = 20;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration STOP = Duration.ofMinutes(1);

  @Spec private CommandSpec spec;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FILE",
      description = "What to write; a file that is there is replaced when all went well.")
  private @Nullable Path output;

  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "" + TASKS,
      description = "How many tasks the broker is to learn from (default: ${DEFAULT-VALUE}).")
  private int tasks;

  @Override
  public Integer call() throws InterruptedException {
    Path file = Optional.ofNullable(output).orElseThrow().toAbsolutePath();
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    var setting = Setting.of(Folders.empty(Optional.empty(), "train"), Mode.PUSH, tasks, MILLIS);
    LibraryLog.to(setting.demoLog());
    var options = new DemoOptions(tasks, MILLIS, 1, 0, false, PATIENCE, STOP);
    var said = new StringWriter();
    int code =
        new Demo(
                setting,
                options,
                launch -> launch.withJvmOptions("-XX:AOTCacheOutput=" + fresh),
                new PrintWriter(said),
                false)
            .run();
    if (code != 0 || !Files.exists(fresh)) {
      throw new CommandException(
          "the training did not end well; what it did is in %s:%n%s"
              .formatted(setting.dir(), said.toString().strip()));
    }
    try {
      Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
      Folders.delete(setting.dir());
      spec.commandLine()
          .getOut()
          .printf("%s, %d MB, learnt from %,d tasks%n", file, Files.size(file) >> 20, tasks);
      return code;
    } catch (IOException e) {
      throw new CommandException("what was learnt cannot be kept in " + file + ": " + e, e);
    }
  }
}
