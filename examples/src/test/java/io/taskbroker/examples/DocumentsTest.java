package io.taskbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Each block of Java in the documents of the SDK is a part of a program that compiles.
final class DocumentsTest {
  private static final Path DOCUMENTS = Path.of("../docs/java-sdk");
  private static final Pattern BLOCK = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

  @Test
  void blocksOfJavaAreQuoted() throws Exception {
    String programs =
        words(
            all(Path.of("src"), ".java")
                + all(Path.of("spring/src"), ".java")
                + all(Path.of("comparison/src"), ".java"));
    int blocks = 0;
    for (Path document : files(DOCUMENTS, ".md")) {
      for (var match : BLOCK.matcher(Files.readString(document)).results().toList()) {
        blocks++;
        assertThat(programs).as(document.toString()).contains(words(match.group(1)));
      }
    }
    assertThat(blocks).isPositive();
  }

  private static String words(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }

  private static String all(Path folder, String end) throws Exception {
    StringBuilder text = new StringBuilder();
    for (Path each : files(folder, end)) {
      text.append(Files.readString(each)).append('\n');
    }
    return text.toString();
  }

  private static List<Path> files(Path folder, String end) throws Exception {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(each -> each.toString().endsWith(end)).sorted().toList();
    }
  }
}
