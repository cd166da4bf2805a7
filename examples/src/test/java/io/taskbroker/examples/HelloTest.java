package io.taskbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.client.testing.TaskBrokerExtension;
import io.taskbroker.client.testing.TestBroker;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// The program of the README: it runs, it is short, and the README quotes it.
@ExtendWith(TaskBrokerExtension.class)
final class HelloTest {
  private static final Path SOURCE = Path.of("src/main/java/io/taskbroker/examples/Hello.java");

  @Test
  void itRuns(TestBroker broker) {
    PrintStream before = System.out;
    var printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      Hello.main(new String[] {broker.address()});
    } finally {
      System.setOut(before);
    }
    assertThat(printed.toString(StandardCharsets.UTF_8))
        .contains("Hello, world\n")
        .endsWith("COMPLETED\n");
  }

  @Test
  void theReadmeQuotesIt() throws Exception {
    List<String> lines = Files.readAllLines(SOURCE);
    assertThat(lines).hasSizeLessThanOrEqualTo(25);
    String program = String.join("\n", lines.subList(2, lines.size()));
    assertThat(Files.readString(Path.of("../README.md"))).contains(program);
  }
}
