package io.taskbroker.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.api.Command.PushEnded;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.telemetry.Metrics;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// H9, H24: every row of `docs/push-statuses.md`, by real connections.
@Timeout(240)
final class PushStatusesTest {
  private static final Path DOCUMENT = Path.of("..", "docs", "push-statuses.md");
  private static final List<String> ERRORS =
      List.of(
          "NO_ERROR",
          "PROTOCOL_ERROR",
          "INTERNAL_ERROR",
          "FLOW_CONTROL_ERROR",
          "SETTINGS_TIMEOUT",
          "STREAM_CLOSED",
          "FRAME_SIZE_ERROR",
          "REFUSED_STREAM",
          "CANCEL",
          "COMPRESSION_ERROR",
          "CONNECT_ERROR",
          "ENHANCE_YOUR_CALM",
          "INADEQUATE_SECURITY",
          "HTTP_1_1_REQUIRED");

  static Stream<Arguments> statuses() throws IOException {
    return rows("## Answers with a gRPC status")
        .map(row -> Arguments.of(row[0], row[1], PushOutcome.valueOf(row[3])));
  }

  static Stream<Arguments> httpStatuses() throws IOException {
    return rows("## Answers without a gRPC status")
        .map(row -> Arguments.of(row[0], PushOutcome.valueOf(row[2])));
  }

  static Stream<Arguments> ends() throws IOException {
    return rows("## Ends of streams and connections")
        .map(row -> Arguments.of(row[0], PushOutcome.valueOf(row[1])));
  }

  @ParameterizedTest
  @MethodSource("statuses")
  void answerWithAGrpcStatus(String code, String text, PushOutcome outcome) throws Exception {
    try (Worker worker = Worker.start()) {
      Status status = Status.Code.valueOf(code).toStatus();
      worker.answer = text.isEmpty() ? status : status.withDescription(text);
      assertThat(push(worker.address())).isEqualTo(outcome);
    }
  }

  @ParameterizedTest
  @MethodSource("httpStatuses")
  void answerWithoutAGrpcStatus(String status, PushOutcome outcome) throws Exception {
    try (RawWorker worker =
        RawWorker.reacting((stream, out) -> out.write(RawWorker.response(stream, status)))) {
      assertThat(push(worker.address())).isEqualTo(outcome);
    }
  }

  @ParameterizedTest
  @MethodSource("ends")
  void endOfAStreamOrConnection(String event, PushOutcome outcome) throws Exception {
    try (RawWorker worker = RawWorker.reacting(reaction(event))) {
      assertThat(push(worker.address())).isEqualTo(outcome);
    }
  }

  private static RawWorker.Reaction reaction(String event) {
    String[] words = event.split(" ", -1);
    return switch (words[0]) {
      case "RST_STREAM" ->
          (stream, out) -> out.write(RawWorker.reset(stream, ERRORS.indexOf(words[1])));
      case "GOAWAY" -> {
        boolean covers = event.contains("covers");
        yield (stream, out) -> {
          out.write(RawWorker.goAway(covers ? stream : 0, ERRORS.indexOf(words[1])));
          if (covers) {
            throw new IOException("This closes the connection");
          }
        };
      }
      default ->
          (stream, out) -> {
            throw new IOException("This closes the connection");
          };
    };
  }

  private static PushOutcome push(URI address) throws Exception {
    var intake = new RecordedPushes();
    var options = new PushOptions(List.of(), Duration.ofSeconds(30), 1 << 20);
    var client = new PushClient(Map.of("app", address), options, intake, new Metrics());
    client.start();
    try {
      client.push(Deliveries.of("x", "app", new byte[10]));
      PushEnded pushed = intake.next();
      return pushed.outcome();
    } finally {
      client.stop();
    }
  }

  private static Stream<String[]> rows(String heading) throws IOException {
    List<String> lines = Files.readAllLines(DOCUMENT);
    int from = lines.indexOf(heading) + 1;
    assertThat(from).as(heading).isPositive();
    return lines.subList(from, lines.size()).stream()
        .takeWhile(line -> !line.startsWith("#"))
        .filter(line -> line.startsWith("|"))
        .skip(2)
        .map(line ->
            Arrays.stream(line.substring(1, line.length() - 1).split("\\|", -1))
                .map(String::strip)
                .toArray(String[]::new));
  }
}
