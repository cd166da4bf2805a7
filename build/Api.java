import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/// Compares the public classes of a module with the list in a file, and fails if they differ.
///
/// Arguments: `--check`, or `--write` to renew the list; the folder of classes; the file; and the
/// packages, if any, that are public only for other packages of the module.
///
/// The list has one line for each type, and below it one for each public or protected member, as
/// `javap` prints them. A line that is gone or changed breaks callers; a new abstract method breaks
/// those who implement its type; other new lines break nobody, and must be written down too.
final class Api {
  private static final Pattern HEADER =
      Pattern.compile("public .*?(?:class|interface) ([\\w.$]+).*");
  private static final String MEMBER = "  ";

  private record Difference(boolean breaks, String text) {}

  public static void main(String[] args) throws Exception {
    Path classes = Path.of(args[1]);
    Path file = Path.of(args[2]);
    Map<String, SortedSet<String>> now =
        parse(javap(files(classes, List.of(args).subList(3, args.length))));
    if (args[0].equals("--write")) {
      Files.writeString(file, format(now));
      return;
    }
    Map<String, SortedSet<String>> before =
        Files.exists(file) ? parse(Files.readAllLines(file)) : Map.of();
    List<Difference> differences = compare(before, now);
    if (!differences.isEmpty()) {
      System.err.println(file + " does not list the public classes:");
      differences.forEach(
          each -> System.err.println((each.breaks() ? "  breaks " : "  adds   ") + each.text()));
      System.err.println(
          differences.stream().anyMatch(Difference::breaks)
              ? "Keep what callers use. If it must go, run build/api, and say in CHANGELOG.md, under"
                  + " Changed or Removed, what they are to do"
              : "Run build/api to write it down");
      System.exit(1);
    }
  }

  private static List<String> files(Path classes, List<String> others) throws IOException {
    try (Stream<Path> all = Files.walk(classes)) {
      return all.filter(each -> each.toString().endsWith(".class"))
          .filter(each -> !each.getFileName().toString().endsWith("-info.class"))
          .filter(each -> !others.contains(packageOf(classes.relativize(each))))
          .map(Path::toString)
          .sorted()
          .toList();
    }
  }

  private static String packageOf(Path relative) {
    return relative.getParent() == null ? "" : relative.getParent().toString().replace('/', '.');
  }

  private static List<String> javap(List<String> files) {
    var arguments = new ArrayList<>(List.of("-protected", "-constants"));
    arguments.addAll(files);
    var out = new StringWriter();
    var errors = new StringWriter();
    int code =
        ToolProvider.findFirst("javap")
            .orElseThrow()
            .run(
                new PrintWriter(out),
                new PrintWriter(errors),
                arguments.toArray(String[]::new));
    if (code != 0) {
      throw new IllegalStateException("javap: " + errors);
    }
    return out.toString().lines().toList();
  }

  /// Members by the line of their type. Types within a type that is not public are left out.
  private static Map<String, SortedSet<String>> parse(List<String> lines) {
    var types = new TreeMap<String, SortedSet<String>>();
    var names = new TreeSet<String>();
    SortedSet<String> members = new TreeSet<>();
    for (String line : lines) {
      if (line.startsWith(MEMBER)) {
        members.add(line.strip());
        continue;
      }
      Matcher header = HEADER.matcher(line);
      members = new TreeSet<>();
      if (header.matches()) {
        names.add(header.group(1));
        types.put(line.replaceFirst(" \\{$", ""), members);
      }
    }
    types.keySet().removeIf(type -> !isReachable(type, names));
    return types;
  }

  private static boolean isReachable(String type, SortedSet<String> names) {
    Matcher header = HEADER.matcher(type);
    if (!header.matches()) {
      return false;
    }
    String name = header.group(1);
    for (int at = name.indexOf('$'); at >= 0; at = name.indexOf('$', at + 1)) {
      if (!names.contains(name.substring(0, at))) {
        return false;
      }
    }
    return true;
  }

  private static String format(Map<String, SortedSet<String>> types) {
    var text = new StringBuilder();
    types.forEach((type, members) -> {
      text.append(type).append('\n');
      members.forEach(each -> text.append(MEMBER).append(each).append('\n'));
    });
    return text.toString();
  }

  private static List<Difference> compare(
      Map<String, SortedSet<String>> before, Map<String, SortedSet<String>> now) {
    var found = new ArrayList<Difference>();
    before.forEach((type, members) -> {
      SortedSet<String> left = now.get(type);
      if (left == null) {
        found.add(new Difference(true, "- " + type));
        return;
      }
      members.stream()
          .filter(each -> !left.contains(each))
          .forEach(each -> found.add(new Difference(true, "- " + type + ": " + each)));
    });
    now.forEach((type, members) -> {
      SortedSet<String> known = before.get(type);
      if (known == null) {
        found.add(new Difference(false, "+ " + type));
        return;
      }
      members.stream()
          .filter(each -> !known.contains(each))
          .forEach(each ->
              found.add(
                  new Difference(each.contains(" abstract "), "+ " + type + ": " + each)));
    });
    return found;
  }
}
