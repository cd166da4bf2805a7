import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// Fails, naming them, if a test report of the given directory tells of tests that did not run.
final class NoSkippedTests {
  private static final Pattern SKIPPED_CASE =
      Pattern.compile("<testcase name=\"([^\"]*)\" classname=\"([^\"]*)\"[^>]*>\\s*<skipped");

  public static void main(String[] args) throws IOException {
    Path reports = Path.of(args[0]);
    if (!Files.isDirectory(reports)) {
      return;
    }
    var skipped = new TreeSet<String>();
    try (var files = Files.newDirectoryStream(reports, "TEST-*.xml")) {
      for (Path file : files) {
        String report = Files.readString(file);
        var cases = SKIPPED_CASE.matcher(report);
        int before = skipped.size();
        while (cases.find()) {
          skipped.add(cases.group(2) + "." + cases.group(1));
        }
        if (skipped.size() == before && report.contains("<skipped")) {
          skipped.add(file.getFileName().toString());
        }
      }
    }
    if (!skipped.isEmpty()) {
      System.err.println("A skipped test is a failed test: " + String.join(", ", skipped));
      System.exit(1);
    }
  }
}
