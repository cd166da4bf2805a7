package io.taskbroker.cli;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Worker that runs a program for each task.
@Command(
    name = "worker",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Runs a program for each task until it is stopped.",
    footer = {
      "",
      "The program gets the arguments of the task on its standard input, and TASK_ID, TASK_NAME,",
      "TASK_NAMESPACE, TASK_ATTEMPT and TASK_TOKEN in its environment. Exit code 0 completes the",
      "task, with the first 64 KiB of its output as the result; any other fails the attempt. A",
      "program that is to stop gets SIGTERM, and SIGKILL 5 s later.",
      "",
      "Ctrl-C waits up to 10 s for the programs that run."
    })
final class WorkerCommand implements Callable<Integer> {
  @Option(
      names = "--exec",
      required = true,
      paramLabel = "COMMAND",
      description = "Command line for /bin/sh.")
  private String command = "";

  @Option(names = "--application", defaultValue = "default", description = "Worker pool.")
  private String application = "";

  @Option(
      names = "--namespace",
      description = "Only tasks of this group, as often as needed; all if not given.")
  private List<String> namespaces = List.of();

  @Option(
      names = "--slots",
      defaultValue = "4",
      description = "Programs that run at once (default: ${DEFAULT-VALUE}).")
  private int slots;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      description =
          "Stops a program that runs for longer, such as 10s or 5m, and fails the attempt; no limit"
              + " if not given.")
  private @Nullable String timeout;

  @Mixin private BrokerAddress broker;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    var worker =
        new ExecWorker(
            broker,
            new ExecWorker.Options(
                application,
                namespaces,
                slots,
                command,
                Optional.ofNullable(timeout)
                    .map(text -> EnqueueCommand.duration("--timeout", text))),
            spec.commandLine().getErr());
    Runtime.getRuntime().addShutdownHook(new Thread(worker::stop, "stop"));
    return worker.run();
  }
}
