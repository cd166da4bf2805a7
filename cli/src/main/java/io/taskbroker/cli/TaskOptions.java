package io.taskbroker.cli;

import com.google.protobuf.ByteString;
import io.taskbroker.protocol.v1.Task;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Arguments, application and namespace of a task on the command line. One thread.
final class TaskOptions {
  @Option(
      names = "--arg",
      paramLabel = "KEY=VALUE",
      description =
          "An argument, as often as needed. Numbers, true, false and null are JSON, all else is"
              + " text.")
  private Map<String, String> arguments = new LinkedHashMap<>();

  @Option(names = "--application", defaultValue = "default", description = "Worker pool.")
  private String application = "";

  @Option(names = "--namespace", defaultValue = "default", description = "Group of tasks.")
  private String namespace = "";

  /// Sets them.
  ///
  /// @param json the arguments in place of the single ones; null for those
  void into(Task.Builder task, @Nullable String json) {
    task.setApplication(application)
        .setNamespace(namespace)
        .setArguments(ByteString.copyFromUtf8(json == null ? Json.object(arguments) : json));
  }
}
