package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.TaskTemplate;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The commands of the dead-letter workbench against a real Kafka, and those that
/// docs/dead-letters.md shows, in its order.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class DlqCommandTest {
  private static final Path DOCUMENT = Path.of("../docs/dead-letters.md");

  /// `{"args": [7], "kwargs": {}}`
  private static final byte[] ARGUMENTS = {
    (byte) 0x82,
    (byte) 0xa4,
    'a',
    'r',
    'g',
    's',
    (byte) 0x91,
    7,
    (byte) 0xa6,
    'k',
    'w',
    'a',
    'r',
    'g',
    's',
    (byte) 0x80
  };

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path dir;
  private BrokerSetup setup;

  @BeforeEach
  void createTopics(KafkaView view, TestInfo test) throws Exception {
    setup =
        BrokerSetup.pull(
            dir, "dlq-" + test.getTestMethod().orElseThrow().getName(), view.bootstrap());
    setup.writeConfig();
    view.createTopics(setup, 1);
  }

  @Test
  void browseReplayEditAndDiscard(KafkaView view) throws Exception {
    produce(view, 6);
    view.publish(setup.deadLetters(), new byte[] {1, 2, 3});

    assertThat(run("dlq", "list")).isZero();
    assertThat(lines())
        .hasSize(1 + 7)
        .anyMatch(line -> line.startsWith("0:4 ") && line.contains("mail:send"))
        .anyMatch(line -> line.contains("(no task)"));
    assertThat(err.toString()).contains("7 dead letters; this is the end");
    assertThat(run("dlq", "list", "--limit", "2", "-o", "json")).isZero();
    assertThat(lines()).hasSize(2);
    assertThat(err.toString()).contains("--cursor 0:2");
    assertThat(run("dlq", "list", "--cursor", "0:2", "--error", "TIMEOUT 3")).isZero();
    assertThat(lines()).hasSize(1 + 1);

    assertThat(run("dlq", "groups")).isZero();
    assertThat(lines()).hasSize(1 + 2);
    assertThat(lines().get(1)).startsWith("6 ").contains("timeout # of #");

    assertThat(run("dlq", "show", "0:1")).isZero();
    assertThat(out.toString()).contains("\"arguments\":{\"args\":[7],\"kwargs\":{}}");
    assertThat(run("dlq", "show", "no-such-id")).isEqualTo(1);

    assertThat(run("dlq", "replay")).isEqualTo(2);
    assertThat(run("dlq", "replay", "--all", "--dry-run")).isEqualTo(3);
    assertThat(out.toString()).contains("would be replayed 6 of 7 selected", "1 skipped: no task");
    assertThat(view.published(setup.topic())).isZero();

    assertThat(run("dlq", "discard", "0:0", "--reason", "spam")).isZero();
    assertThat(run("dlq", "edit", "0:1", "--arguments", "{\"args\": [8], \"kwargs\": {}}"))
        .isZero();
    assertThat(run("dlq", "edit", "0:2", "--arguments", "[8]")).isEqualTo(1);
    assertThat(run("dlq", "replay", "--task", "send", "--rate", "1000", "-o", "json")).isZero();
    assertThat(out.toString()).contains("\"done\":4", "\"discarded_before\":1");
    assertThat(run("dlq", "list", "0:0", "0:1", "-o", "json")).isZero();
    assertThat(lines())
        .anyMatch(line -> line.contains("\"state\":\"discarded\"") && line.contains("spam"))
        .anyMatch(line -> line.contains("\"state\":\"replayed\""));
    assertThat(run("dlq", "list", "--topic", "nowhere")).isEqualTo(1);
    assertThat(err.toString()).contains("nowhere");

    var replayed = new ArrayList<TaskActivation>();
    for (var each : view.read(setup.topic())) {
      replayed.add(TaskActivation.parseFrom(each.value()));
    }
    assertThat(replayed).extracting(TaskTemplate::numberOf).containsExactly(1, 2, 3, 4, 5);
    assertThat(replayed.getFirst().getParametersBytes().byteAt(7)).isEqualTo((byte) 8);
  }

  @Test
  void theCommandsOfTheDocumentRun(KafkaView view) throws Exception {
    produce(view, 10);
    List<String> commands =
        Files.readAllLines(DOCUMENT).stream()
            .filter(line -> line.startsWith("taskbroker dlq"))
            .toList();
    assertThat(commands).hasSizeGreaterThan(6);
    for (String command : commands) {
      assertThat(run(words(command))).as(command + ": " + err).isZero();
    }
  }

  /// The words of a command line, without its first one and comment; quotation marks group words.
  private static String[] words(String command) {
    var words = new ArrayList<String>();
    var matcher =
        java.util.regex.Pattern.compile("'([^']*)'|(\\S+)")
            .matcher(command.replaceAll(" +# .*", ""));
    while (matcher.find()) {
      words.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
    }
    return words.subList(1, words.size()).toArray(String[]::new);
  }

  private void produce(KafkaView view, int count) throws Exception {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "mail", "send", 0, 3);
    for (int i = 0; i < count; i++) {
      byte[] value =
          template
              .deadLettered(i, 3)
              .setParametersBytes(ByteString.copyFrom(ARGUMENTS))
              .build()
              .toByteArray();
      view.publishLetter(setup, i, value);
    }
  }

  private List<String> lines() {
    return out.toString().lines().toList();
  }

  private int run(String... words) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    var all = new ArrayList<>(List.of(words));
    if (!all.contains("-c")) {
      all.addAll(List.of("-c", setup.config().toString()));
    } else {
      all.set(all.indexOf("-c") + 1, setup.config().toString());
    }
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(String[]::new));
  }
}
