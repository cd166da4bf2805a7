package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The launcher script, in folders that imitate a distribution or a checkout, with a Java without
/// compiler and a PATH without Maven.
final class LauncherTest {
  private static final int TIMEOUT_SECONDS = 60;

  @TempDir private Path dir;
  private Path java;

  @BeforeEach
  void installAJavaWithoutCompiler() throws IOException {
    java = Files.createDirectories(dir.resolve("jre"));
    Path home = Path.of(System.getProperty("java.home"));
    Files.createDirectories(java.resolve("bin"));
    Files.copy(home.resolve("release"), java.resolve("release"));
    Path program = java.resolve("bin/java");
    Files.writeString(program, "#!/bin/sh\nexec '%s/bin/java' \"$@\"\n".formatted(home));
    assertThat(program.toFile().setExecutable(true)).isTrue();
  }

  @Test
  void distributionRunsWithoutMavenAndCompiler() throws Exception {
    Path home = Files.createDirectories(dir.resolve("taskbroker-1.0"));
    install(home, home.resolve("lib"));

    Result result = run(home, "--version");

    assertThat(result.output()).startsWith("taskbroker ");
    assertThat(result.code()).isZero();
  }

  @Test
  void releaseRunsOnItsOwnJavaFromItsClassArchive() throws Exception {
    Path home = release();

    Result result = run(home, "--version");

    assertThat(result.output().lines())
        .contains(
            "@" + home + "/lib/java.options",
            "-XX:SharedArchiveFile=" + home + "/lib/taskbroker.jsa",
            "-jar",
            home + "/lib/taskbroker.jar")
        .endsWith("--version");
  }

  @Test
  void releaseDoesNotUseItsClassArchiveWithAnotherCollector() throws Exception {
    Path home = release();

    Result result = run(Map.of("JAVA_OPTS", "-XX:+UseZGC"), home, "--version");

    assertThat(result.output().lines())
        .contains("-XX:+UseZGC", "-Xmx256m")
        .noneMatch(line -> line.contains("SharedArchiveFile") || line.contains("UseSerialGC"));
  }

  @Test
  void distributionReportsThatItHasNoLaboratory() throws Exception {
    Path home = Files.createDirectories(dir.resolve("taskbroker-1.0"));
    install(home, home.resolve("lib"));

    Result result = run(home, "demo");

    assertThat(result.output().lines())
        .containsExactly(
            "taskbroker: 'demo' is not part of the distribution; run it from a checkout");
    assertThat(result.code()).isEqualTo(2);
  }

  @Test
  void checkoutServesFromItsBuildEvenIfASourceIsNewer() throws Exception {
    Path root = checkout();
    touch(root.resolve("cli/target/dist/built"), Instant.parse("2026-01-01T00:00:00Z"));

    Result result = run(root, "--version");

    assertThat(result.output().lines())
        .hasSize(2)
        .first()
        .asString()
        .startsWith("taskbroker: sources are newer than this build");
    assertThat(result.code()).isZero();
  }

  @Test
  void checkoutWithoutABuildNeedsMaven() throws Exception {
    Path root = checkout();
    Files.delete(root.resolve("cli/target/dist/built"));

    Result result = run(root, "--version");

    assertThat(result.output().lines()).containsExactly("taskbroker: needs Maven (mvn) to build");
    assertThat(result.code()).isEqualTo(1);
  }

  @Test
  void scriptWithoutJarsReportsThat() throws Exception {
    Path place = Files.createDirectories(dir.resolve("bin"));
    script(place);

    Result result = run(place, "--version");

    assertThat(result.output()).startsWith("taskbroker: there is neither a distribution (lib)");
    assertThat(result.output().lines()).hasSize(1);
    assertThat(result.code()).isEqualTo(1);
  }

  private record Result(int code, String output) {}

  /// A release in a folder with a blank in its name, whose Java prints its arguments.
  private Path release() throws IOException {
    Path home = Files.createDirectories(dir.resolve("task broker"));
    script(home);
    Files.createDirectories(home.resolve("lib"));
    Path program = Files.createDirectories(home.resolve("runtime/bin")).resolve("java");
    Files.writeString(program, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
    return home.toRealPath();
  }

  private Path checkout() throws IOException {
    Path root = Files.createDirectories(dir.resolve("checkout"));
    install(root, root.resolve("cli/target/dist/lib"));
    Files.createDirectories(root.resolve("cli/src/main"));
    Files.writeString(root.resolve("cli/pom.xml"), "<project/>");
    Files.writeString(root.resolve("pom.xml"), "<project/>");
    Files.createFile(root.resolve("cli/target/dist/built"));
    return root;
  }

  private static void install(Path home, Path lib) throws IOException {
    script(home);
    Files.createDirectories(lib);
    Path options = home.resolve("lib").equals(lib) ? lib : home.resolve("packaging");
    Files.createDirectories(options);
    for (String name : List.of("java.options", "heap.options")) {
      Files.copy(Path.of("..", "packaging", name), options.resolve(name));
    }
    int number = 0;
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path source = Path.of(entry);
      if (Files.isDirectory(source)) {
        pack(source, lib.resolve("classes-" + number++ + ".jar"));
      } else if (Files.exists(source)) {
        Files.createSymbolicLink(lib.resolve(number++ + "-" + source.getFileName()), source);
      }
    }
  }

  private static void script(Path home) throws IOException {
    Path copy = Files.copy(Path.of("..", "taskbroker"), home.resolve("taskbroker"));
    assertThat(copy.toFile().setExecutable(true)).isTrue();
  }

  private static void pack(Path classes, Path jar) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        var out = new JarOutputStream(file);
        Stream<Path> files = Files.walk(classes)) {
      for (Path path : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        out.putNextEntry(new ZipEntry(classes.relativize(path).toString()));
        Files.copy(path, out);
      }
    }
  }

  private static void touch(Path file, Instant time) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(time));
  }

  private Result run(Path home, String... arguments) throws IOException, InterruptedException {
    return run(Map.of(), home, arguments);
  }

  private Result run(Map<String, String> environment, Path home, String... arguments)
      throws IOException, InterruptedException {
    var builder = new ProcessBuilder(home.resolve("taskbroker").toString());
    builder.command().addAll(List.of(arguments));
    builder.redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", java.toString());
    builder.environment().put("PATH", tools().toString());
    builder.environment().remove("JAVA_OPTS");
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), output);
  }

  /// A folder with the programs that the script calls, without Maven and Java.
  private Path tools() throws IOException {
    Path tools = dir.resolve("tools");
    if (!Files.exists(tools)) {
      Files.createDirectories(tools);
      for (String name : List.of("sh", "sed", "find", "dirname", "readlink")) {
        Files.createSymbolicLink(tools.resolve(name), where(name));
      }
    }
    return tools;
  }

  private static Path where(String program) {
    return Stream.of("/usr/bin", "/bin")
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("There is no " + program));
  }
}
