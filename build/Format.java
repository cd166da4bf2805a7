import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.StringWrapper;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/// Formats Java sources in place, or with `--check` only names those that are not formatted.
/// Without file arguments it takes every source below the working directory. `--tool` formats
/// nothing: it prints which JVM and jars it runs on.
final class Format {
  public static void main(String[] args) throws Exception {
    var files = new ArrayList<>(List.of(args));
    if (files.equals(List.of("--tool"))) {
      System.out.println("format-java=" + Path.of(System.getProperty("java.home"), "bin", "java"));
      System.out.println("format-jars=" + System.getProperty("java.class.path"));
      return;
    }
    boolean check = files.remove("--check");
    files.removeIf(file -> !file.endsWith(".java"));
    if (args.length == (check ? 1 : 0)) {
      files.addAll(sources());
    }
    var wrong = files.parallelStream().filter(file -> !formatted(Path.of(file), check)).toList();
    if (!wrong.isEmpty()) {
      System.err.println("Not formatted (run build/format): " + String.join(", ", wrong));
      System.exit(1);
    }
  }

  /// Whether the file is formatted now; when it is only to be checked it stays as it is.
  private static boolean formatted(Path file, boolean check) {
    try {
      String source = Files.readString(file);
      var formatter = new Formatter();
      String result = StringWrapper.wrap(formatter.formatSourceAndFixImports(source), formatter);
      if (!check && !result.equals(source)) {
        Files.writeString(file, result);
        return true;
      }
      return result.equals(source);
    } catch (FormatterException | IOException e) {
      System.err.println(file + ": " + e.getMessage());
      return false;
    }
  }

  private static List<String> sources() throws IOException {
    var found = new ArrayList<String>();
    Files.walkFileTree(
        Path.of("."),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            String name = dir.normalize().getFileName().toString();
            return name.equals("target") || name.startsWith(".")
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".java")) {
              found.add(file.normalize().toString());
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return found;
  }
}
