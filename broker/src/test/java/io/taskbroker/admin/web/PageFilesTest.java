package io.taskbroker.admin.web;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The files of the page are all there, small, and hold no inline script, no style attribute, no
/// other server, and no text outside of `texts.js`.
final class PageFilesTest {
  private static final Path FOLDER =
      Path.of("src/main/resources", PageFiles.class.getPackageName().replace('.', '/'));
  private static final int MOST_BYTES = 200_000;

  @Test
  void everyFileOfTheFolderIsServed() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      assertThat(files.map(file -> file.getFileName().toString()).sorted().toList())
          .containsExactlyElementsOf(PageFiles.NAMES.stream().sorted().toList());
    }
  }

  @Test
  void allOfThemTogetherAreSmall() {
    var files = new PageFiles();
    int bytes =
        PageFiles.NAMES.stream()
            .mapToInt(name -> files.find(name).orElseThrow().compressed().length)
            .sum();
    assertThat(bytes).isLessThan(MOST_BYTES);
  }

  @Test
  void nothingIsInlineOrElsewhere() throws IOException {
    for (String name : PageFiles.NAMES) {
      String text = Files.readString(FOLDER.resolve(name));
      assertThat(text.replace("http://www.w3.org/", "")).as(name).doesNotContain("://");
      assertThat(text)
          .as(name)
          .doesNotContain("innerHTML", "insertAdjacentHTML", "document.write", "eval(");
      assertThat(text).as(name).doesNotContainPattern("<script(?![^>]*src=)|style:? *=? *\"");
    }
  }

  @Test
  void modulesImportOnlyWhatIsThere() throws IOException {
    Pattern imported = Pattern.compile("(?:from|import\\() ?'\\./([a-z-]+\\.js)'");
    for (String name : PageFiles.NAMES) {
      List<String> others =
          imported
              .matcher(Files.readString(FOLDER.resolve(name)))
              .results()
              .map(match -> match.group(1))
              .toList();
      assertThat(PageFiles.NAMES).as(name).containsAll(others);
    }
  }

  @Test
  void indexNamesTheVersion() {
    var files = new PageFiles();
    assertThat(new String(files.index().content(), UTF_8))
        .contains("/ui/assets/" + files.version() + "/app.js", "modulepreload")
        .doesNotContain("VERSION");
  }
}
