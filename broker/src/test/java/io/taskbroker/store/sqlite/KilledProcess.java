package io.taskbroker.store.sqlite;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Another JVM that runs a main class of the tests, and is killed at the latest on close.
final class KilledProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;

  private KilledProcess(Process process) {
    this.process = process;
    output = process.inputReader(UTF_8);
  }

  /// @param temporary where the child leaves what it did not come to delete
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

  /// The next line that it printed; null when there is none any more.
  @Nullable String line() throws IOException {
    return output.readLine();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /// SIGKILL, as a crash of the process is to the file.
  void kill() throws InterruptedException {
    // By its handle, since the process closes its output, and with it what is still in there.
    process.toHandle().destroyForcibly();
    process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
