package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.reflect.AccessFlag;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `docs/concurrency.md` lists every class of the broker with state shared between threads. A class
/// missing there fails this test until somebody documents why it is safe and which test shows it.
final class SharedStateTest {
  private static final String ROOT = "io/taskbroker/";

  /// Other modules, which lie beside the broker in some builds.
  private static final Pattern OTHERS = Pattern.compile("(testkit|cli|proto)/.*");

  /// Types made for concurrent use.
  private static final Pattern SHARING =
      Pattern.compile(
          "L(java/util/concurrent/(?!TimeUnit;|Callable;).+"
              + "|java/lang/(Thread|ThreadLocal|invoke/VarHandle);"
              + "|java/util/Timer;"
              + "|org/jctools/.+"
              + "|io/taskbroker/runtime/(LoopThread|BatchFlusher);"
              + "|io/netty/channel/(EventLoop|EventLoopGroup);"
              + "|io/grpc/SynchronizationContext;)");

  /// Calls that only code with shared state makes.
  private static final Set<String> CALLS =
      Set.of(
          "java/lang/invoke/VarHandle",
          "java/util/concurrent/locks/LockSupport",
          "java/lang/Thread.ofPlatform",
          "java/lang/Thread.ofVirtual",
          "java/lang/Thread.startVirtualThread",
          "java/lang/Object.wait",
          "java/lang/Object.notifyAll",
          "java/lang/Object.notify");

  /// Construction of concurrent objects, whatever the type of the variable.
  private static final Pattern MAKING =
      Pattern.compile("java/util/concurrent/.+(?<!Exception)\\.(<init>|newKeySet)");

  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `([a-zA-Z.]+)` \\|(.*)\\|(.*)\\|([^|]*)\\|$");
  private static final Pattern CONFINED = Pattern.compile("(?m)^\\| `([a-zA-Z.]+)` \\|([^|]*)\\|$");
  private static final Pattern TEST = Pattern.compile("`([A-Za-z0-9]+Test)(?:#([A-Za-z0-9]+))?`");

  @Test
  void everyClassThatCouldShareStateIsListed() throws IOException {
    var missing = new TreeMap<>(marked());
    missing.keySet().removeAll(listed());
    assertThat(missing).as("classes missing in docs/concurrency.md, with the reason").isEmpty();
  }

  @Test
  void everyClassThatSaysThatItIsThreadSafeIsListed() throws IOException {
    var missing = new TreeSet<String>();
    for (Path file : sources("broker/src/main/java")) {
      String text = Files.readString(file);
      if (Pattern.compile("(?m)^///.*\\bThread-safe").matcher(text).find()
          && !Pattern.compile("(?m)^(public )?interface ").matcher(text).find()) {
        missing.add(name(file.toString().replaceAll(".*/" + ROOT, "").replace(".java", "")));
      }
    }
    assertThat(missing).isNotEmpty();
    missing.removeAll(listed());
    assertThat(missing).isEmpty();
  }

  @Test
  void nothingIsListedThatIsNotThere() throws IOException {
    var gone = new TreeSet<>(listed());
    gone.removeIf(name ->
        Files.exists(
            Documents.root()
                .resolve("broker/src/main/java")
                .resolve(ROOT + name.replace('.', '/') + ".java")));
    assertThat(gone).isEmpty();
  }

  @Test
  void everySharedClassNamesTestsThatExist() throws IOException {
    var tests = new ArrayList<>(sources("broker/src/test/java"));
    tests.addAll(sources("cli/src/test/java"));
    var faults = new TreeSet<String>();
    Matcher row = ROW.matcher(document());
    int rows = 0;
    while (row.find()) {
      rows++;
      Matcher test = TEST.matcher(row.group(4));
      boolean named = false;
      while (test.find()) {
        named = true;
        if (!exists(tests, test.group(1), test.group(2))) {
          faults.add(row.group(1) + ": there is no " + test.group());
        }
      }
      if (!named) {
        faults.add(row.group(1) + ": no test");
      }
    }
    assertThat(rows).isPositive();
    assertThat(faults).isEmpty();
  }

  /// Test of this test: it detects each kind of sign.
  @Test
  void seesWhatIsShared() throws IOException {
    assertThat(marked())
        .containsEntry("engine.EngineOwnership", "calls VarHandle.fullFence")
        .containsEntry("store.sqlite.WriterLock", "calls ConcurrentHashMap.newKeySet")
        .containsKeys("ingest.PartitionOffsets", "grpc.UnaryCall")
        .containsKeys("runtime.FlushQueue", "deliver.PushClient", "outbox.TopicSender", "Watchdog")
        .doesNotContainKeys("inflight.Inflight", "ingest.OffsetLedger", "runtime.Outage");
  }

  private static boolean exists(List<Path> tests, String type, String method) throws IOException {
    for (Path file : tests) {
      if (file.endsWith(type + ".java")) {
        return method == null
            || Pattern.compile("\\bvoid " + method + "\\(").matcher(Files.readString(file)).find();
      }
    }
    return false;
  }

  private static Set<String> listed() throws IOException {
    var listed = new TreeSet<String>();
    for (Pattern kind : List.of(ROW, CONFINED)) {
      Matcher row = kind.matcher(document());
      while (row.find()) {
        listed.add(row.group(1));
      }
    }
    return listed;
  }

  private static String document() throws IOException {
    return Files.readString(Documents.root().resolve("docs/concurrency.md"));
  }

  private static List<Path> sources(String folder) throws IOException {
    try (Stream<Path> files = Files.walk(Documents.root().resolve(folder))) {
      return files.filter(file -> file.toString().endsWith(".java")).toList();
    }
  }

  /// Outermost classes with a sign of sharing, and the last sign of each.
  private static Map<String, String> marked() throws IOException {
    var marked = new TreeMap<String, String>();
    Path classes = mainClasses();
    try (Stream<Path> files = Files.walk(classes.resolve(ROOT))) {
      for (Path file : files.filter(each -> each.toString().endsWith(".class")).toList()) {
        String name = classes.resolve(ROOT).relativize(file).toString();
        String sign = OTHERS.matcher(name).matches() ? "" : sign(ClassFile.of().parse(file));
        if (!sign.isEmpty()) {
          marked.put(name(name.replace(".class", "").replaceAll("\\$.*", "")), sign);
        }
      }
    }
    return marked;
  }

  private static String name(String path) {
    return path.replace('/', '.');
  }

  private static Path mainClasses() {
    try {
      return Path.of(Broker.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String sign(ClassModel type) {
    String sign = "";
    for (FieldModel field : type.fields()) {
      String name = field.fieldName().stringValue();
      if (field.flags().has(AccessFlag.VOLATILE)) {
        sign = "volatile " + name;
      } else if (SHARING.matcher(field.fieldType().stringValue()).matches()) {
        sign = "field " + name;
      }
    }
    for (MethodModel body : type.methods()) {
      String name = body.methodName().stringValue();
      if (body.flags().has(AccessFlag.SYNCHRONIZED)) {
        sign = "synchronized " + name;
      }
      for (CodeElement element : body.code().map(CodeModel::elementList).orElse(List.of())) {
        if (element instanceof MonitorInstruction) {
          sign = "synchronized in " + name;
        } else if (element instanceof InvokeInstruction call) {
          String owner = call.owner().asInternalName();
          String method = owner + "." + call.name().stringValue();
          if (CALLS.contains(owner) || CALLS.contains(method) || MAKING.matcher(method).matches()) {
            sign = "calls " + method.replaceAll(".*/", "");
          }
        }
      }
    }
    return sign;
  }
}
