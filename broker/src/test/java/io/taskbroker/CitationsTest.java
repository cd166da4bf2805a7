package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Every number cited in sources and documents leads to a document of this repository: guarantees
/// (G), failure histories (H), weaknesses of the reference (W), decisions (ADR) and sections of the
/// wire contract.
final class CitationsTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern CODE = Pattern.compile("(?<![A-Za-z0-9_#/.-])([GHW])(\\d{1,2})\\b");
  private static final Pattern DECISION = Pattern.compile("\\bADR (\\d+)\\b");
  private static final Pattern SECTION =
      Pattern.compile("(?:reference-spec|wire-contract) (\\d+(?:\\.\\d+)?)");

  @Test
  void everyCitationLeadsToADocument() throws IOException {
    Set<String> known = new TreeSet<>();
    known.addAll(defined("docs/guarantees.md", "(?m)^\\| (G\\d+) \\|"));
    known.addAll(defined("docs/failure-histories.md", "(?m)^## (H\\d+)$"));
    known.addAll(defined("docs/reference-differences.md", "(?m)^\\| (W\\d+) \\|"));
    defined("docs/wire-contract.md", "(?m)^#{2,3} (\\d+(?:\\.\\d+)?)").stream()
        .map(number -> "section " + number)
        .forEach(known::add);
    try (Stream<Path> decisions = Files.list(ROOT.resolve("docs/adr"))) {
      decisions
          .map(file -> file.getFileName().toString())
          .map(name -> "ADR " + Integer.parseInt(name.substring(0, name.indexOf('-'))))
          .forEach(known::add);
    }

    Set<String> cited = citations();

    assertThat(cited).contains("G1", "H25", "W1", "ADR 7", "section 4.2");
    cited.removeAll(known);
    assertThat(cited).as("citations that lead nowhere").isEmpty();
  }

  private static Set<String> citations() throws IOException {
    var cited = new TreeSet<String>();
    try (Stream<Path> files = Files.walk(ROOT)) {
      files
          .filter(file -> !file.toString().contains("target"))
          .filter(file -> file.toString().matches(".*\\.(java|md|sql|proto)"))
          .forEach(file -> cite(text(file), cited));
    }
    return cited;
  }

  private static void cite(String text, Set<String> cited) {
    for (Matcher code = CODE.matcher(text); code.find(); ) {
      cited.add(code.group(1) + code.group(2));
    }
    for (Matcher decision = DECISION.matcher(text); decision.find(); ) {
      cited.add("ADR " + decision.group(1));
    }
    for (Matcher section = SECTION.matcher(text); section.find(); ) {
      cited.add("section " + section.group(1));
    }
  }

  private static Set<String> defined(String document, String pattern) {
    return Pattern.compile(pattern)
        .matcher(text(ROOT.resolve(document)))
        .results()
        .map(found -> found.group(1))
        .collect(Collectors.toSet());
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read " + file, e);
    }
  }
}
