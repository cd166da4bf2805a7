package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.fuzz.Portions;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.event.KeyValuePair;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// Arbitrary text, truncated anywhere, in log lines about tasks and workers.
final class LogLinesFuzzTest {
  private static final LoggerContext LOGGERS = new LoggerContext();
  private static final ObjectMapper JSON = new ObjectMapper();

  @MethodSource("seeds")
  @FuzzTest
  void everyEventIsOneLine(byte[] input) {
    var portions = new Portions(input);
    String message = codeUnits(portions.bytes());
    String id = codeUnits(portions.bytes());
    String error = codeUnits(portions.rest());
    var event =
        new LoggingEvent(
            "",
            LOGGERS.getLogger("io.taskbroker.x"),
            Level.WARN,
            "text: {}",
            error.isEmpty() ? null : new IllegalStateException(error),
            new Object[] {message});
    event.addKeyValuePair(new KeyValuePair("task_id", id));

    String text = new String(new TextLines().encode(event), UTF_8);
    assertThat(text).endsWith("\n");
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length - 1; i++) {
      assertThat(lines[i]).startsWith(i == 0 ? "20" : "  ");
      assertThat(lines[i].chars()).noneMatch(c -> c != '\t' && Character.isISOControl(c));
    }
    String line = new String(new JsonLines(JsonLines.Names.REFERENCE).encode(event), UTF_8);
    assertThat(line.indexOf('\n')).isEqualTo(line.length() - 1);
    JsonNode parsed = JSON.readTree(line);
    assertThat(parsed.get("message").asString()).isEqualTo("text: " + whole(message));
    assertThat(parsed.get("task_id").asString()).isEqualTo(whole(id));
    assertThat(parsed.has("error")).isEqualTo(!error.isEmpty());
  }

  /// Any sequence of UTF-16 code units, including unpaired surrogates.
  private static String codeUnits(byte[] bytes) {
    var text = new StringBuilder();
    for (int i = 0; i + 1 < bytes.length; i += 2) {
      text.append((char) ((bytes[i] & 0xFF) << 8 | (bytes[i + 1] & 0xFF)));
    }
    return text.toString();
  }

  private static String whole(String text) {
    return new String(text.getBytes(UTF_8), UTF_8);
  }

  static Stream<byte[]> seeds() {
    byte[] emoji = "a\n\"\u001B\u2028\uD83D\uDE00".getBytes(UTF_16BE);
    return Stream.of(
        new Portions.Seed().bytes(emoji).bytes(emoji).rest(emoji),
        new Portions.Seed().bytes(new byte[] {(byte) 0xD8, 0}).bytes(emoji).rest(new byte[0]));
  }
}
