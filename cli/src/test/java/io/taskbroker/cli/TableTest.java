package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.JsonNodeFactory;

final class TableTest {
  private final StringWriter out = new StringWriter();

  @Test
  void columnsAreAlignedAndNothingIsCut() {
    String longName = "x".repeat(70);
    var table = new Table("NAME", "COUNT", "REASON");
    table.add("a", 7, "first");
    table.add(longName, 12, "");
    assertThat(printed(table))
        .isEqualTo(
            """
            NAME%1$s  COUNT  REASON
            a%1$s     7      first
            %2$s  12     -
            """
                .formatted(" ".repeat(56), longName));
  }

  @Test
  void whatComesFromOutsideCannotControlTheTerminal() {
    var table = new Table("NAME", "RATE", "PAUSED");
    var json = JsonNodeFactory.instance;
    table.add(json.stringNode("a\u001b[2J\nb"), json.numberNode(1.25), json.nullNode());
    assertThat(printed(table)).endsWith("a?[2J?b  1.3   -\n");
  }

  @Test
  void aTableWithoutRowsIsNotPrinted() {
    assertThat(printed(new Table("NAME"))).isEmpty();
  }

  private String printed(Table table) {
    table.print(new PrintWriter(out));
    return out.toString();
  }
}
