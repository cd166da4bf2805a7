import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/// Collects the licence texts of the jars in a folder, and fails if a jar has a licence that is not
/// allowed, or one without a text.
///
/// Arguments: the CycloneDX file (XML) of the jars, their folder, the folder of texts for jars that
/// bring none, the folder to write. A text is `ARTIFACT.txt`, or `SPDX-ID.txt` for a licence whose
/// text names no copyright holder. Without the last argument it only checks.
final class Licenses {
  private static final String CYCLONEDX = "*";
  private static final String OWN = "io.taskbroker";

  /// Licences that ask for no more than a notice; EPL-2.0 for a library that is not changed.
  private static final Set<String> ALLOWED =
      Set.of("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "EPL-2.0", "MIT");

  private static final Set<String> WITHOUT_HOLDER = Set.of("Apache-2.0", "EPL-2.0");
  private static final Pattern TEXT =
      Pattern.compile("(?i)(META-INF/)?(licen[sc]es?|notice|copying|copyright)([._-][^/]*)?");

  private record Library(String group, String name, String version, List<String> licenses) {}

  public static void main(String[] args) throws Exception {
    Path jars = Path.of(args[1]);
    Path texts = Path.of(args[2]);
    var problems = new TreeSet<String>();
    var table = new StringBuilder();
    var named = new TreeSet<String>();
    for (Library library : libraries(Path.of(args[0]))) {
      Path jar = find(jars, library);
      named.add(jar.getFileName().toString());
      if (library.licenses().stream().noneMatch(ALLOWED::contains)) {
        problems.add(library.name() + " has the licence " + library.licenses());
        continue;
      }
      table.append(
          "%s %s: %s%n"
              .formatted(
                  library.name(), library.version(), String.join(" or ", library.licenses())));
      if (args.length > 3) {
        problems.addAll(collect(library, jar, texts, Path.of(args[3])));
      }
    }
    try (Stream<Path> all = Files.list(jars)) {
      all.map(jar -> jar.getFileName().toString())
          .filter(
              jar -> jar.endsWith(".jar") && !jar.startsWith("taskbroker") && !named.contains(jar))
          .filter(jar -> named.stream().noneMatch(other -> sameLibrary(jar, other)))
          .forEach(jar -> problems.add(jar + " is not in " + args[0]));
    }
    if (!problems.isEmpty()) {
      System.err.println("Licences: " + String.join("; ", problems));
      System.exit(1);
    }
    if (args.length > 3) {
      Files.writeString(Path.of(args[3], "LIBRARIES.txt"), table);
    }
  }

  private static List<Library> libraries(Path bom) throws Exception {
    var factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    factory.setNamespaceAware(true);
    Element root = factory.newDocumentBuilder().parse(bom.toFile()).getDocumentElement();
    var found = new ArrayList<Library>();
    NodeList components = root.getElementsByTagNameNS(CYCLONEDX, "component");
    for (int i = 0; i < components.getLength(); i++) {
      var component = (Element) components.item(i);
      String group = text(component, "group");
      boolean shipped = component.getParentNode().getParentNode() == root;
      if (shipped && !group.equals(OWN)) {
        found.add(
            new Library(
                group, text(component, "name"), text(component, "version"), licenses(component)));
      }
    }
    return found;
  }

  private static List<String> licenses(Element component) {
    var found = new ArrayList<String>();
    NodeList licenses = component.getElementsByTagNameNS(CYCLONEDX, "license");
    for (int i = 0; i < licenses.getLength(); i++) {
      var license = (Element) licenses.item(i);
      String id = text(license, "id");
      found.add(id.isEmpty() ? text(license, "name") : id);
    }
    return found;
  }

  private static String text(Element parent, String name) {
    NodeList found = parent.getElementsByTagNameNS(CYCLONEDX, name);
    return found.getLength() == 0 ? "" : found.item(0).getTextContent().strip();
  }

  private static Path find(Path jars, Library library) throws IOException {
    try (Stream<Path> all = Files.list(jars)) {
      return all.filter(jar -> jar.getFileName().toString().startsWith(prefix(library)))
          .findFirst()
          .orElseThrow(() -> new IOException("No jar of " + library + " in " + jars));
    }
  }

  private static String prefix(Library library) {
    return library.name() + "-" + library.version();
  }

  /// Jars of one library for several processors.
  private static boolean sameLibrary(String jar, String other) {
    return jar.contains("linux-")
        && jar.replaceAll("-linux-.*", "").equals(other.replaceAll("-linux-.*", ""));
  }

  /// Copies the texts of a library, and returns what is missing.
  private static List<String> collect(Library library, Path jar, Path texts, Path out)
      throws IOException {
    Path folder = Files.createDirectories(out.resolve(library.name()));
    boolean licensed = false;
    try (var zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(e -> (ZipEntry) e)::iterator) {
        String name = entry.getName().replace("META-INF/", "");
        if (!entry.isDirectory() && name.startsWith("licenses/")) {
          // Of what the jar itself brings.
          try (InputStream in = zip.getInputStream(entry)) {
            Files.write(folder.resolve(name.replace('/', '-')), in.readAllBytes());
          }
        } else if (!entry.isDirectory() && TEXT.matcher(entry.getName()).matches()) {
          try (InputStream in = zip.getInputStream(entry)) {
            Files.write(folder.resolve(name), in.readAllBytes());
          }
          licensed |= !name.toLowerCase(java.util.Locale.ROOT).startsWith("notice");
        }
      }
    }
    if (licensed) {
      return List.of();
    }
    Path own = texts.resolve(library.name() + ".txt");
    if (Files.exists(own)) {
      Files.copy(own, folder.resolve("LICENSE.txt"));
      return List.of();
    }
    for (String id : library.licenses()) {
      if (WITHOUT_HOLDER.contains(id)) {
        Path general = out.resolve(id + ".txt");
        if (!Files.exists(general)) {
          Files.copy(texts.resolve(id + ".txt"), general);
        }
        Files.writeString(folder.resolve("LICENSE.txt"), "See ../" + id + ".txt.\n");
        return List.of();
      }
    }
    return List.of(library.name() + " brings no text of its licence " + library.licenses());
  }
}
