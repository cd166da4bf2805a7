package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/// `dev`, `enqueue` and `worker` as processes that work with each other.
@Timeout(240)
final class DirectCommandsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PORT = Ports.free();
  private static final String BROKER = ":" + PORT;

  @TempDir private static Path shared;
  private static CommandProcess dev;

  /// Worker of the application "shell", for which the arguments of a task are a script.
  private static CommandProcess shell;

  @TempDir private Path dir;
  private final List<CommandProcess> started = new ArrayList<>();
  private String printed = "";
  private String complained = "";

  @BeforeAll
  static void startBroker() {
    dev =
        CommandProcess.start(
            shared,
            shared.resolve("dev.log"),
            "dev",
            "--data",
            "data folder",
            "--port",
            Integer.toString(PORT),
            "--admin-port",
            "0");
    await().atMost(PATIENCE).until(() -> dev.output().contains("Ready in") || !dev.isAlive());
    assertThat(dev.isAlive()).as(dev.output()).isTrue();
    shell =
        CommandProcess.start(
            shared,
            shared.resolve("shell.log"),
            "worker",
            "--application",
            "shell",
            "--exec",
            "sh",
            "--broker",
            BROKER);
  }

  @AfterAll
  static void stopBroker() throws InterruptedException {
    shell.close();
    dev.terminate();
    assertThat(dev.awaitEnd(PATIENCE)).as("exit code of dev").isZero();
  }

  @AfterEach
  void killWorkers() {
    started.forEach(CommandProcess::close);
  }

  /// What the page of `dev` says is so, and what it says to type works.
  @Test
  void thePageOfDevIsTrue() throws Exception {
    String page = dev.output();
    assertThat(page)
        .contains("gRPC at 127.0.0.1:" + PORT, "no Kafka")
        .contains("tasks in " + shared.resolve("data folder/tasks.sqlite"));
    assertThat(shared.resolve("data folder/tasks.sqlite")).exists();
    assertThat(webPage(page)).contains("<title>");
    List<String[]> commands =
        Pattern.compile("^ +\\./taskbroker (.*)$", Pattern.MULTILINE)
            .matcher(page)
            .results()
            .map(found -> words(found.group(1)))
            .toList();
    assertThat(commands).hasSize(2);
    CommandProcess worker = start("page", commands.get(0));
    await().atMost(PATIENCE).until(() -> worker.output().contains("takes tasks from :" + PORT));

    assertThat(run(commands.get(1))).isZero();
    assertThat(printed.lines()).contains("completed");
    await().atMost(PATIENCE).until(() -> worker.output().contains("{\"name\":\"World\"}"));
  }

  /// Words as a shell makes them of a line with single quotes.
  private static String[] words(String line) {
    return Pattern.compile("'([^']*)'|(\\S+)")
        .matcher(line)
        .results()
        .map(MatchResult::group)
        .map(word -> word.replace("'", ""))
        .toArray(String[]::new);
  }

  @Test
  void theProgramGetsArgumentsAndEnvironment() throws Exception {
    Path seen = dir.resolve("seen");
    worker("seen", "cat > %s; env | grep ^TASK_ | sort >> %s".formatted(seen, seen));
    assertThat(
            enqueue(
                "seen",
                "--id",
                "order-7",
                "--namespace",
                "post",
                "--arg",
                "text=a \"b\"",
                "--arg",
                "number=-1.5e3",
                "--arg",
                "yes=true",
                "--arg",
                "zero=007",
                "--wait"))
        .isZero();
    assertThat(printed).isEqualTo("order-7\ncompleted\n");
    List<String> lines = Files.readAllLines(seen);
    assertThat(lines.getFirst())
        .startsWith("{\"text\":\"a \\\"b\\\"\",\"number\":-1.5e3,\"yes\":true,\"zero\":\"007\"}");
    assertThat(String.join("\n", lines))
        .contains("TASK_ATTEMPT=1", "TASK_ID=order-7", "TASK_NAME=seen", "TASK_NAMESPACE=post")
        .containsPattern("TASK_TOKEN=[0-9]+-[0-9]+");
    assertThat(enqueue("seen", "--id", "order-7")).isZero();
    assertThat(printed).isEqualTo("order-7 exists already\n");
  }

  @ParameterizedTest
  @CsvSource({
    "'exit 0', completed, 0, 1",
    "'exit 3', failed, 1, 2",
    "'kill -9 $$', failed, 1, 2",
    "'test $TASK_ATTEMPT = 2', completed, 0, 2",
    "'no-such-program', failed, 1, 2"
  })
  void theExitCodeIsTheOutcome(String program, String outcome, int code, int runs)
      throws Exception {
    Path log = dir.resolve("runs");
    String script = "echo $TASK_ATTEMPT >> %s; %s".formatted(log, program);
    assertThat(enqueue("shell", "--json", script, "--attempts", "2", "--wait")).isEqualTo(code);
    assertThat(printed.lines()).contains(outcome);
    assertThat(Files.readAllLines(log)).hasSize(runs);
  }

  @Test
  void aProgramThatDoesNotStopIsKilledAfterItsTimeout() throws Exception {
    Path pid = dir.resolve("pid");
    worker("stubborn", "trap '' TERM; echo $$ > %s; sleep 600".formatted(pid), "--timeout", "3s");
    assertThat(enqueue("stubborn", "--wait")).isOne();
    assertThat(printed.lines()).contains("failed");
    assertThat(isAlive(pid)).isFalse();
  }

  @Test
  void aStoppedWorkerWaitsForItsPrograms() throws Exception {
    Path begun = dir.resolve("begun");
    CommandProcess worker = worker("last", "touch %s; sleep 1".formatted(begun));
    assertThat(enqueue("last", "--id", "last")).isZero();
    await().atMost(PATIENCE).until(() -> Files.exists(begun));
    worker.terminate();
    assertThat(worker.awaitEnd(PATIENCE)).as("128 + SIGTERM").isEqualTo(143);
    // Without another worker: it was completed by the one that was stopped.
    assertThat(run("enqueue", "last", "--id", "last", "--wait", "--broker", BROKER)).isZero();
    assertThat(printed.lines()).containsExactly("last exists already", "completed");
  }

  @Test
  void theTaskOfAKilledWorkerRunsElsewhere() throws Exception {
    Path begun = dir.resolve("begun");
    CommandProcess first = worker("orphan", "touch %s; sleep 600".formatted(begun));
    assertThat(enqueue("orphan", "--id", "orphan")).isZero();
    await().atMost(PATIENCE).until(() -> Files.exists(begun));
    first.close();
    worker("orphan", "echo done");
    assertThat(enqueue("orphan", "--id", "orphan", "--wait")).isZero();
  }

  @Test
  void theOutputIsPassedOn() throws Exception {
    assertThat(enqueue("shell", "--json", "echo to out; echo to err >&2", "--wait")).isZero();
    assertThat(printed.lines()).as("the output is the result").endsWith("completed", "to out");
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(shell.output()).contains("to out", "to err"));
  }

  @Test
  void aDelayedTaskRunsWhenItsTimeHasCome() throws Exception {
    long before = System.nanoTime();
    assertThat(enqueue("shell", "--json", "true", "--delay", "1500ms", "--wait")).isZero();
    assertThat(Duration.ofNanos(System.nanoTime() - before))
        .isGreaterThan(Duration.ofMillis(1_500));
  }

  @ParameterizedTest
  @CsvSource({
    "'--delay soon', 2, 'soon'",
    "'--delay 1w', 2, '1w'",
    "'--attempts 0', 1, '--attempts 0'",
    "'--attempts many', 2, many",
    "'--broker nowhere:port', 1, '--broker nowhere:port'"
  })
  void whatIsWrongIsOneLine(String options, int code, String text) {
    assertThat(run(("enqueue task " + options).split(" "))).isEqualTo(code);
    assertThat(complained.lines()).singleElement().asString().contains("taskbroker: ", text);
  }

  @Test
  void whatTheBrokerRejectsIsOneLine() {
    assertThat(enqueue("shell", "--id", "a".repeat(256))).isOne();
    assertThat(complained)
        .isEqualTo("taskbroker: the broker rejected the task: id has more than 255 bytes\n");
    assertThat(enqueue("shell", "--priority", "5")).isOne();
    assertThat(complained).contains("rejected the task: priority is not between -4 and 4");
    assertThat(enqueue("shell", "--json", "true", "--priority", "4", "--wait")).isZero();
  }

  @Test
  void aWorkerWithoutABrokerTriesAgain() throws Exception {
    CommandProcess worker =
        start("alone", "worker", "--exec", "true", "--broker", ":" + Ports.free());
    await().atMost(PATIENCE).until(() -> worker.output().contains("trying again"));
    assertThat(worker.isAlive()).isTrue();
    worker.terminate();
    assertThat(worker.awaitEnd(PATIENCE)).isEqualTo(143);
  }

  @Test
  void aPortThatIsTakenEndsDevWithOneLine() throws Exception {
    CommandProcess second =
        start(
            "second",
            "dev",
            "--data",
            "other",
            "--port",
            Integer.toString(PORT),
            "--admin-port",
            "0");
    assertThat(second.awaitEnd(PATIENCE)).isOne();
    assertThat(second.output()).contains("Cannot listen for gRPC on 127.0.0.1:" + PORT);
    assertThat(run("dev", "--port", "0")).isOne();
    assertThat(complained).contains("--port 0 is not between 1 and 65535");
    assertThat(run("dev", "--admin-port", "65536")).isOne();
    assertThat(complained).contains("--admin-port 65536 is not between 0 and 65535");
  }

  /// The web page at the address that the log tells.
  private static String webPage(String log) throws Exception {
    Matcher served =
        Pattern.compile("admin API is served at (http://127.0.0.1:[0-9]+)/").matcher(log);
    assertThat(served.find()).as(log).isTrue();
    try (InputStream in = URI.create(served.group(1) + "/ui/").toURL().openStream()) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  /// Where nothing configures it, the log has everything that libraries say.
  @Test
  void aCommandPrintsItsAnswerOnly() throws Exception {
    Path everything =
        Files.writeString(
            dir.resolve("everything.xml"),
            """
            <configuration>
              <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
                <encoder><pattern>%level %msg%n</pattern></encoder>
              </appender>
              <root level="DEBUG"><appender-ref ref="OUT"/></root>
            </configuration>
            """);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dlogback.configurationFile=" + everything,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "enqueue",
                "quiet",
                "--id",
                "quiet",
                "--broker",
                BROKER)
            .redirectErrorStream(true)
            .start();
    assertThat(new String(process.getInputStream().readAllBytes(), UTF_8)).isEqualTo("quiet\n");
    assertThat(process.waitFor()).isZero();
  }

  private static boolean isAlive(Path pid) throws IOException {
    long number = Long.parseLong(Files.readString(pid).strip());
    return ProcessHandle.of(number).map(ProcessHandle::isAlive).orElse(false);
  }

  /// A worker of its own application, which has its own tasks only.
  private CommandProcess worker(String application, String program, String... options) {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("worker", "--application", application, "--exec", program));
    arguments.addAll(List.of("--broker", BROKER));
    arguments.addAll(List.of(options));
    return start(application, arguments.toArray(String[]::new));
  }

  private CommandProcess start(String name, String... arguments) {
    CommandProcess process =
        CommandProcess.start(dir, dir.resolve(name + started.size() + ".log"), arguments);
    started.add(process);
    return process;
  }

  private int enqueue(String application, String... options) {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("enqueue", application, "--application", application));
    arguments.addAll(List.of("--broker", BROKER));
    arguments.addAll(List.of(options));
    return run(arguments.toArray(String[]::new));
  }

  /// A command in this process.
  private int run(String... arguments) {
    var out = new StringWriter();
    var err = new StringWriter();
    CommandLine command = Main.commandLine();
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int code = command.execute(arguments);
    printed = out.toString();
    complained = err.toString();
    return code;
  }
}
