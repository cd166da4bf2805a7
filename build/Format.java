import com.google.googlejavaformat.java.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Formats Java sources in place, or with `--check` only names those that are not formatted.
/// Without file arguments it takes every source below the working directory.
final class Format {
  public static void main(String[] args) throws Exception {
    var files = new ArrayList<>(List.of(args));
    boolean check = files.remove("--check");
    files.removeIf(file -> !file.endsWith(".java"));
    if (args.length == (check ? 1 : 0)) {
      files.addAll(sources());
    }
    if (files.isEmpty()) {
      return;
    }
    files.addAll(0, check ? List.of("--dry-run", "--set-exit-if-changed") : List.of("--replace"));
    int exit =
        new Main(new PrintWriter(System.out, true), new PrintWriter(System.err, true), System.in)
            .format(files.toArray(String[]::new));
    if (exit != 0) {
      System.err.println("Sources are not formatted, or do not parse: run build/format");
      System.exit(1);
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
            return name.equals("target") || (name.startsWith("."))
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".java")) {
              found.add(file.toString());
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return found;
  }
}
