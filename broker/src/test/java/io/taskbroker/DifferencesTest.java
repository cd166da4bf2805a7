package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Tests named in the documents exist, and every weakness of the reference, guarantee, situation
/// and bound names its tests.
final class DifferencesTest {
  private static final int WEAKNESSES = 50;

  private static final List<String> NAMING =
      List.of(
          "reference-differences.md",
          "guarantees.md",
          "security.md",
          "push-statuses.md",
          "failure-histories.md",
          "simulation.md",
          "operations.md");

  private static final Pattern WEAKNESS = Pattern.compile("\\| W([0-9]+) \\|");
  private static final Pattern METHOD = Pattern.compile("`([A-Za-z0-9]+)#([A-Za-z0-9]+)`");
  private static final Pattern CLASS = Pattern.compile("`([A-Z][A-Za-z0-9]*(?:Test|Contract))`");

  private static List<Path> sources = List.of();

  @BeforeAll
  static void findTests() throws IOException {
    var found = new ArrayList<Path>();
    try (Stream<Path> modules = Files.list(Documents.root())) {
      for (Path module : modules.toList()) {
        Path folder = module.resolve("src/test/java");
        if (Files.isDirectory(folder)) {
          try (Stream<Path> files = Files.walk(folder)) {
            files.filter(file -> file.toString().endsWith(".java")).forEach(found::add);
          }
        }
      }
    }
    sources = List.copyOf(found);
  }

  @Test
  void everyWeaknessIsThereOnceInOrder() throws IOException {
    var numbers = new ArrayList<Integer>();
    for (String row : rows()) {
      Matcher weakness = WEAKNESS.matcher(row);
      if (weakness.lookingAt()) {
        numbers.add(Integer.parseInt(weakness.group(1)));
      }
    }
    assertThat(numbers)
        .containsExactlyElementsOf(IntStream.rangeClosed(1, WEAKNESSES).boxed().toList());
  }

  @Test
  void everyRowSaysWhatShowsIt() throws IOException {
    var silent = new TreeSet<String>();
    for (String row : rows()) {
      String[] cells = cells(row);
      String shown = cells[cells.length - 2].strip();
      boolean heading = row.startsWith("| **");
      if (!heading && !METHOD.matcher(shown).find() && !shown.startsWith("none: ")) {
        silent.add(row);
      }
    }
    assertThat(silent).isEmpty();
  }

  @Test
  void everyGuaranteeAndEverySituationSaysWhatShowsIt() throws IOException {
    List<String> guarantees = table("guarantees.md", "| | guarantee | tests |");
    List<String> situations = table("guarantees.md", "| situation | what happens |");
    List<String> shown = table("guarantees.md", "| situation | shown by |");

    assertThat(guarantees).hasSize(9);
    assertThat(first(shown)).as("situations with their tests").isEqualTo(first(situations));
    assertThat(withoutTest(guarantees)).isEmpty();
    assertThat(withoutTest(shown)).isEmpty();
  }

  /// A bound names a test or the reason for having none.
  @Test
  void everyBoundSaysWhatShowsIt() throws IOException {
    List<String> bounds = table("security.md", "| | bound | what is more |");

    assertThat(bounds).hasSizeGreaterThan(50).doesNotHaveDuplicates();
    assertThat(first(bounds)).as("what is bounded").doesNotHaveDuplicates();
    assertThat(withoutTest(bounds)).isEmpty();
  }

  /// Rows of the table with this head, without group headings.
  private static List<String> table(String name, String head) throws IOException {
    return document(name)
        .lines()
        .dropWhile(line -> !line.startsWith(head))
        .skip(2)
        .takeWhile(line -> line.startsWith("|"))
        .filter(line -> !line.startsWith("| **"))
        .toList();
  }

  private static List<String> first(List<String> rows) {
    return rows.stream().map(row -> cells(row)[1].strip()).toList();
  }

  private static List<String> withoutTest(List<String> rows) {
    return rows.stream()
        .filter(row -> {
          String[] cells = cells(row);
          String shown = cells[cells.length - 2].strip();
          return !METHOD.matcher(shown).find()
              && !CLASS.matcher(shown).find()
              && !shown.startsWith("none: ");
        })
        .toList();
  }

  private static String[] cells(String row) {
    return row.split("(?<!\\\\)\\|", -1);
  }

  @Test
  void theTestsThatAreNamedExist() throws IOException {
    var missing = new TreeSet<String>();
    for (String name : NAMING) {
      String text = document(name);
      Matcher method = METHOD.matcher(text);
      while (method.find()) {
        String test = method.group(1) + "#" + method.group(2);
        if (!exists(method.group(1), method.group(2))) {
          missing.add(name + ": " + test);
        }
      }
      Matcher named = CLASS.matcher(text);
      while (named.find()) {
        if (filesOf(named.group(1)).isEmpty()) {
          missing.add(name + ": " + named.group(1));
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  private static boolean exists(String type, String method) throws IOException {
    Pattern declared = Pattern.compile("\\bvoid " + method + "\\(");
    for (Path file : filesOf(type)) {
      if (declared.matcher(Files.readString(file)).find()) {
        return true;
      }
    }
    return false;
  }

  private static List<Path> filesOf(String type) {
    return sources.stream().filter(file -> file.endsWith(type + ".java")).toList();
  }

  /// Rows of all tables, without their heads.
  private static List<String> rows() throws IOException {
    return document("reference-differences.md")
        .lines()
        .filter(line -> line.startsWith("| ") && !line.endsWith("| shown by |"))
        .toList();
  }

  private static String document(String name) throws IOException {
    return Files.readString(Documents.root().resolve("docs").resolve(name));
  }
}
