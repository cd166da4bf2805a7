package io.taskbroker.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A virtual environment with the packages of one requirements file. It is made on first use, kept
/// under `target`, and used again while the file and the interpreter are the same.
///
/// Thread-safe.
final class PythonEnvironment {
  private static final Path SOURCES = Path.of("src", "test", "python").toAbsolutePath();
  private static final Path TARGET = Path.of("target").toAbsolutePath();
  private static final List<String> NAMES =
      List.of("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python3.15");
  private static final Duration LOOK = Duration.ofSeconds(20);
  private static final Duration INSTALLATION = Duration.ofMinutes(5);

  /// Prints nothing but the version, the path and what is missing of what an environment needs.
  private static final String PROBE =
      """
      import importlib.util, sys
      missing = [name for name in ("venv", "ensurepip") if not importlib.util.find_spec(name)]
      if sys.version_info < (3, 11):
          sys.exit("is version %d.%d" % sys.version_info[:2])
      if missing:
          sys.exit("lacks the module " + ", ".join(missing) + " (Debian: install python3-venv)")
      print(sys.executable, sys.version.split()[0])
      """;

  static final PythonEnvironment CURRENT = new PythonEnvironment("0.20.20");

  /// Tests APIs by their OpenAPI document.
  static final PythonEnvironment SCHEMATHESIS = new PythonEnvironment("schemathesis");

  /// The version whose number is the highest that is published, though it is older.
  static final PythonEnvironment OLD = new PythonEnvironment("26.5.0");

  private final Path requirements;
  private final Path dir;
  private boolean ready;

  private PythonEnvironment(String version) {
    requirements = SOURCES.resolve("requirements-" + version + ".txt");
    dir = TARGET.resolve("python-" + version);
  }

  /// Where the application of the tests is, for `PYTHONPATH`.
  static Path sources() {
    return SOURCES;
  }

  /// The interpreter that sees the packages.
  ///
  /// @throws IllegalStateException if there is no fitting Python, or its packages cannot be had
  synchronized Path python() throws InterruptedException {
    Path python = dir.resolve("bin").resolve("python");
    if (!ready) {
      String interpreter = interpreter(Optional.ofNullable(System.getenv("PATH")).orElse(""));
      String wanted = interpreter + "\n" + read(requirements);
      Path made = dir.resolve("made-from.txt");
      if (!Files.isExecutable(python) || !wanted.equals(read(made))) {
        make(interpreter.substring(0, interpreter.lastIndexOf(' ')), python);
        write(made, wanted);
      }
      ready = true;
    }
    return python;
  }

  private void make(String interpreter, Path python) throws InterruptedException {
    String what = "make " + dir + " of " + requirements.getFileName();
    must(what, List.of(interpreter, "-m", "venv", "--clear", dir.toString()));
    must(
        what,
        List.of(
            python.toString(),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "-r",
            requirements.toString()));
  }

  private static void must(String what, List<String> command) throws InterruptedException {
    Ended ended = run(command, INSTALLATION);
    if (ended.code() != 0) {
      throw new IllegalStateException(
          "Could not %s: %s gave %d: %s"
              .formatted(what, String.join(" ", command), ended.code(), ended.output()));
    }
  }

  /// Path and version of the first Python that is new enough and complete.
  ///
  /// @param path folders, as the variable PATH has them
  /// @throws IllegalStateException if there is none; it says what was found
  static String interpreter(String path) throws InterruptedException {
    var unfit = new ArrayList<String>();
    for (String name : NAMES) {
      Optional<Path> found = find(name, path);
      if (found.isEmpty()) {
        unfit.add(name + ": not found");
        continue;
      }
      Ended probe = run(List.of(found.get().toString(), "-c", PROBE), LOOK);
      if (probe.code() == 0) {
        return probe.output();
      }
      unfit.add(name + ": " + found.get() + " " + probe.output());
    }
    throw new IllegalStateException(
        "The conformance tests need Python 3.11 or later, with venv, on PATH; looked for\n  "
            + String.join("\n  ", unfit));
  }

  private static Optional<Path> find(String name, String path) {
    return Stream.of(path.split(":"))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private static Ended run(List<String> command, Duration limit) throws InterruptedException {
    try {
      Path output = Files.createTempFile("python", ".txt");
      try {
        Process process =
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        process.getOutputStream().close();
        if (!process.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
          process.descendants().forEach(ProcessHandle::destroyForcibly);
          process.destroyForcibly().waitFor();
          return new Ended(-1, "took longer than " + limit + "; " + read(output).strip());
        }
        return new Ended(process.exitValue(), read(output).strip());
      } finally {
        Files.delete(output);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not run " + command, e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? new String(Files.readAllBytes(file), UTF_8) : "";
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read " + file, e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not write " + file, e);
    }
  }

  private record Ended(int code, String output) {}
}
