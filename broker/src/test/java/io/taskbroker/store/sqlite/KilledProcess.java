package io.taskbroker.store.sqlite;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Another JVM that runs a main class of the tests; killed on close at the latest.
final class KilledProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;

  private KilledProcess(Process process) {
    this.process = process;
    output = process.inputReader(UTF_8);
  }

  /// @param temporary folder for the files that the killed child cannot delete
  static KilledProcess start(Path temporary, Class<?> main, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Xmx256m");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-Djava.io.tmpdir=" + temporary);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return new KilledProcess(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /// Next line of its output; null at the end.
  @Nullable String line() throws IOException {
    return output.readLine();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /// SIGKILL: for the files, the same as a crash.
  void kill() throws InterruptedException {
    // By its handle: killing through the process object closes the output and loses what is unread.
    process.toHandle().destroyForcibly();
    process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
