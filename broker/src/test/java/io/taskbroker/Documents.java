package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Documents in `docs` that are generated from the code.
public final class Documents {
  private static final String PROPERTY = "taskbroker.docs";

  private Documents() {}

  /// Compares a document with the generated text, or writes it with `-Dtaskbroker.docs=write`.
  ///
  /// @param name file name in `docs`
  public static void check(String name, String text) {
    Path file = root().resolve("docs").resolve(name);
    try {
      if (System.getProperty(PROPERTY, "").equals("write")) {
        Files.writeString(file, text);
      }
      assertThat(Files.exists(file) ? Files.readString(file) : "")
          .as(
              "docs/%s is stale; renew it with: mvn -q test -pl proto,testkit,broker"
                  + " -Dtest='*DocumentTest' -Dsurefire.failIfNoSpecifiedTests=false -D%s=write",
              name, PROPERTY)
          .isEqualTo(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Root folder of the project.
  public static Path root() {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !Files.exists(folder.resolve("docs/guarantees.md"))) {
      folder = folder.getParent();
    }
    if (folder == null) {
      throw new IllegalStateException("The tests must run inside the project");
    }
    return folder;
  }
}
