package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The check of the build against `api.txt` finds what breaks callers.
@Timeout(240)
final class ApiListTest {
  private static final String BEFORE =
      """
      package shop;
      public interface Mailer<T extends Comparable<T>> {
        int LIMIT = 3;
        void send(java.util.List<? extends T> mails) throws java.io.IOException;
        record Mail(String to) {}
        enum Kind { PLAIN }
      }
      """;

  @TempDir Path dir;

  private record Check(int code, String output) {}

  private Check check(String mode, String source) throws Exception {
    Path folder = Files.createTempDirectory(dir, "classes");
    Path file = Files.writeString(folder.resolve("Mailer.java"), source);
    int compiled =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-d", folder.toString(), file.toString());
    assertThat(compiled).isZero();
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:TieredStopAtLevel=1",
                    "../build/Api.java",
                    mode,
                    folder.toString(),
                    dir.resolve("api.txt").toString(),
                    "shop.internal"))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Check(process.waitFor(), output);
  }

  @Test
  void whatBreaksCallersIsToldFromWhatDoesNot() throws Exception {
    assertThat(check("--write", BEFORE)).isEqualTo(new Check(0, ""));
    assertThat(check("--check", BEFORE)).isEqualTo(new Check(0, ""));

    String gone =
        "- public interface shop.Mailer<T extends java.lang.Comparable<T>>: public abstract void"
            + " send(java.util.List<? extends T>) throws java.io.IOException;";
    Check changed = check("--check", BEFORE.replace("java.io.IOException", "Exception"));
    assertThat(changed.code()).isEqualTo(1);
    assertThat(changed.output())
        .contains("  breaks " + gone)
        .contains("  breaks + ")
        .contains("Keep what callers use");

    Check more =
        check(
            "--check",
            BEFORE
                .replace("PLAIN }", "PLAIN, HTML }")
                .replace("int LIMIT", "default void close() {} int LIMIT"));
    assertThat(more.code()).isEqualTo(1);
    assertThat(more.output())
        .doesNotContain("breaks")
        .contains("  adds   + public final class shop.Mailer$Kind")
        .contains("HTML")
        .contains("public default void close();")
        .contains("Run build/api");
  }
}
