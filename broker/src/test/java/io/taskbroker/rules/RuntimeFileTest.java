package io.taskbroker.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import io.taskbroker.LogCapture;
import io.taskbroker.inflight.api.Rules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Changes of the rules file by operators and by Kubernetes. A change that the test sees within
/// [#SOON] comes from the file watch, not from the reading every minute.
@Timeout(240)
final class RuntimeFileTest {
  private static final Duration SOON = Duration.ofSeconds(40);

  @TempDir private Path dir;

  private final List<Rules> received = new CopyOnWriteArrayList<>();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final List<RuntimeFile> running = new ArrayList<>();
  @RegisterExtension private final LogCapture log = LogCapture.of(RuntimeFile.class);
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = dir.resolve("rules.yaml");
  }

  @AfterEach
  void stop() {
    running.forEach(RuntimeFile::stop);
    assertThat(failures).isEmpty();
  }

  @Test
  void fileIsReadAtTheStart() throws IOException {
    Files.writeString(file, killing("a, b"));
    RuntimeFile rules = rules();
    assertThat(rules.load()).asString().contains(": 2;");
    assertThat(copy()).hasContent(killing("a, b"));
    start(rules);
    rules.stop();
    rules.stop();
    assertThat(received).isEmpty();
  }

  @Test
  void aRewrittenFileTakesEffect() throws IOException {
    Files.writeString(file, killing("a"));
    start();
    Files.writeString(file, killing("a, b"));
    awaitReceived(1, "2");
    Files.writeString(file, killing("a, b, c"));
    awaitReceived(2, "3");
    assertThat(copy()).hasContent(killing("a, b, c"));
    assertThat(errors()).isEmpty();
  }

  @Test
  void fileThatIsReplacedIsNoticed() throws IOException {
    Files.writeString(file, killing("a"));
    start();
    put(killing("a, b"));
    awaitReceived(1, "2");
  }

  /// Kubernetes changes a config map by replacing a link: the file is a link through that link.
  @Test
  void aReplacedLinkTakesEffect() throws IOException {
    Path one = Files.createDirectory(dir.resolve("..one"));
    Path two = Files.createDirectory(dir.resolve("..two"));
    Files.writeString(one.resolve("rules.yaml"), killing("a"));
    Files.writeString(two.resolve("rules.yaml"), killing("a, b"));
    Path data = Files.createSymbolicLink(dir.resolve("..data"), one.getFileName());
    Files.createSymbolicLink(file, Path.of("..data", "rules.yaml"));
    start();

    Path fresh = Files.createSymbolicLink(dir.resolve("..data_tmp"), two.getFileName());
    Files.move(fresh, data, StandardCopyOption.ATOMIC_MOVE);
    Files.delete(one.resolve("rules.yaml"));
    Files.delete(one);
    awaitReceived(1, "2");
  }

  @Test
  void aRewrittenTargetOfALinkTakesEffect() throws IOException {
    Path elsewhere = Files.createDirectory(dir.resolve("elsewhere"));
    Path real = Files.writeString(elsewhere.resolve("real"), killing("a"));
    Files.createSymbolicLink(file, real);
    start();
    Files.writeString(real, killing("a, b"));
    awaitReceived(1, "2");
  }

  @Test
  void aFileThatAppearsLaterTakesEffect() throws IOException {
    RuntimeFile rules = start();
    assertThat(errors())
        .singleElement()
        .asString()
        .contains("no rules stay in force", "no such file");
    assertThat(rules.load()).isEqualTo(Rules.NONE);
    Files.writeString(file, killing("a"));
    awaitReceived(1, "1");
  }

  @Test
  void rulesReportTheirMatchesAndUnseenNames() throws IOException {
    put(killing("'shop:pay', 'shop:greet'").replace("[]", "[slow]"));
    RuntimeFile file = rules();
    Rules rules = file.load();

    for (int i = 0; i < 3; i++) {
      rules.judge(RuleSetTest.task("shop:pay", "orders", new byte[0]));
    }
    rules.judge(RuleSetTest.task("greet", "shop", new byte[0]));
    start(file);

    await()
        .atMost(SOON)
        .untilAsserted(() ->
            assertThat(logged())
                .contains(
                    "Tasks removed since the rules came into force, by name: shop:pay 3",
                    "No task is named 'shop:greet', so its rule has had no effect yet; there is a"
                        + " task named 'greet': was that meant?",
                    "No task is in the namespace 'slow', so its rule has had no effect yet"));
  }

  @Test
  void brokenFileChangesNothingAndIsSaidToBeBrokenOnce() throws IOException {
    Files.writeString(file, killing("a"));
    start();
    put("demoted_namespaces: [a]");
    await().atMost(SOON).until(() -> errors().size() == 1);
    assertThat(errors().getFirst())
        .contains("the last good ones (", ": 1;", "drop_task_killswitch: is missing");

    Files.writeString(dir.resolve("something"), "else happens in the folder");
    put("[");
    await().atMost(SOON).until(() -> errors().size() == 2);
    put("# too large".repeat(100_000));
    await().atMost(SOON).until(() -> errors().size() == 3);
    assertThat(errors().getLast()).contains("larger than 1048576 bytes");
    Files.delete(file);
    await().atMost(SOON).until(() -> errors().size() == 4);
    assertThat(errors().getLast()).contains("no such file");
    assertThat(received).isEmpty();
    assertThat(copy()).hasContent(killing("a"));

    put(killing("a"));
    await().atMost(SOON).until(() -> logged().stream().anyMatch(it -> it.contains("valid again")));
    assertThat(received).isEmpty();
    put(killing("a, b"));
    awaitReceived(1, "2");
  }

  @Test
  void h22BrokenFileAtTheStartLeavesTheLastGoodRules() throws IOException {
    Files.writeString(file, killing("a"));
    start().stop();
    Files.writeString(file, "drop_task_killswitch: [a");
    RuntimeFile again = rules();
    assertThat(again.load()).asString().contains(": 1;");
    assertThat(errors())
        .singleElement()
        .asString()
        .contains("the last good ones", "not valid YAML");
    start(again);
    Files.writeString(file, killing("[]").replace("[[]]", "[]"));
    awaitReceived(1, "0");
  }

  @Test
  void h22MissingFileAtTheStartLeavesTheLastGoodRules() throws IOException {
    Files.writeString(file, killing("a"));
    start().stop();
    Files.delete(file);
    assertThat(rules().load()).asString().contains(": 1;");
  }

  @Test
  void aBrokenCopyDoesNotPreventTheStart() throws IOException {
    Files.writeString(copy(), "[");
    assertThat(rules().load()).isEqualTo(Rules.NONE);
    assertThat(errors()).anyMatch(it -> it.contains("store.sqlite.rules"));
  }

  @Test
  void anUnwritableCopyDoesNotPreventNewRules() throws IOException {
    Files.writeString(file, killing("a"));
    var rules =
        new RuntimeFile(
            file,
            dir.resolve("no/such/folder"),
            context(),
            received::add,
            (_, e) -> failures.add(e));
    assertThat(rules.load()).asString().contains(": 1;");
    assertThat(logged()).anyMatch(it -> it.startsWith("Cannot keep a copy"));
  }

  @Test
  void secretsForAnotherClusterCauseOneWarning() throws IOException {
    Files.writeString(file, killing("a") + "demoted_topic_cluster: far:1\n");
    start();
    Files.writeString(file, killing("a, b") + "demoted_topic_cluster: far:1\n");
    awaitReceived(1, "2");
    assertThat(logged()).filteredOn(it -> it.contains("secrets")).hasSize(1);
  }

  /// Replaces the file as a whole.
  private void put(String content) throws IOException {
    Path other = Files.writeString(dir.resolve("other"), content);
    Files.move(other, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private RuntimeFile rules() {
    var rules = new RuntimeFile(file, copy(), context(), received::add, (_, e) -> failures.add(e));
    running.add(rules);
    return rules;
  }

  private RuntimeFile start() {
    RuntimeFile rules = rules();
    rules.load();
    return start(rules);
  }

  private static RuntimeFile start(RuntimeFile rules) {
    rules.start();
    return rules;
  }

  private Path copy() {
    return dir.resolve("store.sqlite.rules");
  }

  private static RuleContext context() {
    return new RuleContext("long", "dead:9092", true, List.of());
  }

  private void awaitReceived(int count, String tasks) {
    await().atMost(SOON).until(() -> received.size() == count);
    assertThat(received.getLast()).asString().contains(": " + tasks + ";");
  }

  private List<String> errors() {
    return log.events().stream()
        .filter(event -> event.getLevel() == Level.ERROR)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private List<String> logged() {
    return log.events().stream().map(ILoggingEvent::getFormattedMessage).toList();
  }

  private static String killing(String tasks) {
    return "drop_task_killswitch: [%s]\ndemoted_namespaces: []\n".formatted(tasks);
  }
}
