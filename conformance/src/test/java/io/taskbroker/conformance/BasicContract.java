package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.conformance.Dispatcher.Dispatched;
import io.taskbroker.conformance.Journal.Run;
import io.taskbroker.proto.v1.TaskActivation;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/// What every version of the client may expect in every mode. All is dispatched first, and when the
/// broker has nothing in flight any more, the tests look at what happened.
@Timeout(300)
@ExtendWith({SharedKafka.class, LogsOfFailure.class})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class BasicContract {
  /// Seconds beyond its deadline in which a task may wait in its worker and be reported.
  static final int GRACE = 6;

  /// Tasks that are dispatched at once.
  static final int BURST = 60;

  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final int LARGE = 3_200_000;
  private static final int DELAY = 2;

  /// By how many seconds a delay may be late: idle workers ask every five, on a busy machine.
  private static final double LATE = 60;

  private final String large = hex(LARGE);
  private final Deployment deployment;
  private Dispatched delayed = new Dispatched(0, 0);
  private List<TaskActivation> published = List.of();
  private List<TaskActivation> deadLetters = List.of();

  BasicContract(Deployment deployment) {
    this.deployment = deployment.withGrace(GRACE);
  }

  final Deployment deployment() {
    return deployment;
  }

  @BeforeAll
  void dispatchAllAndAwaitTheEnd() throws Exception {
    deployment.startBroker();
    try (var dispatcher = deployment.startDispatcher()) {
      Dispatched early =
          dispatcher.applyAsync("work:echo", List.of("expired"), Map.of("expires", 1));
      await().until(() -> System.currentTimeMillis() / 1e3 > early.after() + 1.5);
      deployment.startReadyWorker();
      dispatchBasics(dispatcher);
      dispatchMore(dispatcher);
      dispatcher.finish();
    }
    awaitMore();
    deployment.awaitNothingInFlight(PATIENCE);
    await().atMost(PATIENCE).until(() -> deployment.journal().runs().allMatch(Run::isOver));
    published = deployment.published();
    deadLetters = deployment.deadLetters();
  }

  @AfterAll
  void stop() throws InterruptedException {
    try (deployment) {
      assertThat(deployment.stopBroker()).as("exit code").isZero();
    }
  }

  /// Dispatches what only some clients can do.
  void dispatchMore(Dispatcher dispatcher) {}

  /// Waits for what is not in flight from the beginning.
  void awaitMore() throws InterruptedException {}

  private void dispatchBasics(Dispatcher dispatcher) {
    delayed = dispatcher.applyAsync("work:echo", List.of("delayed"), Map.of("countdown", DELAY));
    dispatcher.applyAsync(
        "work:echo", List.of("expired in its delay"), Map.of("countdown", 3, "expires", 1));
    dispatcher.applyAsync("work:echo", List.of("in time"), Map.of("expires", 600));
    dispatcher.delay("work:recover");
    dispatcher.delay("work:exhaust-deadletter", "the payload");
    dispatcher.delay("work:exhaust-discard");
    dispatcher.applyAsync(
        "work:echo",
        Arrays.asList("all kinds", 1, -7, 2.5, true, null, "ünïcödé ☃ 🐍", List.of(1, List.of())),
        Map.of("kwargs", Map.of("name", "x", "größe", Map.of("deep", List.of(1, 2)))));
    dispatcher.delay("work:echo", "large", large);
    dispatcher.delay("work:compressed", "small", 1);
    dispatcher.delay("work:fail");
    dispatcher.delay("work:ghost");
    dispatcher.delay("nowhere:ghost");
    IntStream.range(0, BURST).forEach(i -> dispatcher.delay("work:echo", "burst", i));
    dispatcher.delay("work:overrun");
  }

  @Test
  void argumentsArriveAsTheyWere() {
    Run run = onlyEcho("all kinds");
    assertThat(run.args())
        .hasToString("[\"all kinds\",1,-7,2.5,true,null,\"ünïcödé ☃ 🐍\",[1,[]]]");
    assertThat(run.kwargs().path("name").asString()).isEqualTo("x");
    assertThat(run.kwargs().path("größe")).hasToString("{\"deep\":[1,2]}");
    assertThat(run.outcome()).isEqualTo("returned");
  }

  @Test
  void parametersOfMoreThanThreeMillionBytesAreCompressedAndArrive() throws Exception {
    Run run = onlyEcho("large");
    assertThat(run.args().path(1).path("length").asInt()).isEqualTo(LARGE);
    assertThat(run.args().path(1).path("sha256").asString()).isEqualTo(sha256(large));
    assertThat(published(run).getHeadersMap()).containsEntry("compression-type", "zstd");
  }

  @Test
  void parametersAreCompressedIfTheTaskSaysSo() {
    Run run = only(runs("compressed"));
    assertThat(run.args()).hasToString("[\"small\",1]");
    assertThat(published(run).getHeadersMap()).containsEntry("compression-type", "zstd");
  }

  @Test
  void eachOfManyRunsOnce() {
    List<Integer> numbers =
        echoes("burst").stream().map(run -> run.args().path(1).asInt()).sorted().toList();
    assertThat(numbers).isEqualTo(IntStream.range(0, BURST).boxed().toList());
  }

  @Test
  void aCountdownIsKept() {
    Run run = onlyEcho("delayed");
    assertThat(run.at()).isBetween(delayed.before() + DELAY, delayed.after() + DELAY + LATE);
  }

  @Test
  void whatExpiredNeverRuns() {
    assertThat(echoes("expired")).isEmpty();
    assertThat(echoes("expired in its delay")).isEmpty();
    assertThat(onlyEcho("in time").outcome()).isEqualTo("returned");
  }

  @Test
  void aRetryIsANewActivationAfterTheDelay() {
    List<Run> runs = runs("recover");
    assertThat(runs).extracting(Run::attempt).containsExactly(0, 1, 2);
    assertThat(runs)
        .extracting(Run::outcome)
        .containsExactly("ValueError", "ValueError", "returned");
    assertThat(new HashSet<>(runs.stream().map(Run::id).toList())).hasSize(3);
    assertThat(runs.get(1).at() - runs.get(0).at()).isBetween((double) DELAY, DELAY + LATE);
    assertThat(runs.get(2).at() - runs.get(1).at()).isBetween((double) DELAY, DELAY + LATE);
    assertThat(published(runs.get(2)).getRetryState().getAttempts()).isEqualTo(2);
  }

  @Test
  void exhaustedRetriesAreDiscarded() {
    assertThat(runs("exhaust-discard")).extracting(Run::attempt).containsExactly(0, 1);
    assertThat(deadLetters("exhaust-discard")).isEmpty();
  }

  @Test
  void exhaustedRetriesAreDeadLetteredAsTheLastAttemptWas() {
    List<Run> runs = runs("exhaust-deadletter");
    assertThat(runs).extracting(Run::attempt).containsExactly(0, 1, 2);
    TaskActivation deadLetter = only(deadLetters("exhaust-deadletter"));
    assertThat(deadLetter).isEqualTo(published(runs.getLast()));
    assertThat(deadLetter.getRetryState().getAttempts()).isEqualTo(2);
    assertThat(deadLetter.getParametersBytes().toStringUtf8()).contains("the payload");
  }

  @Test
  void aFailureWithoutAPolicyIsDiscarded() {
    assertThat(only(runs("fail")).outcome()).isEqualTo("ValueError");
    assertThat(deadLetters("fail")).isEmpty();
  }

  @Test
  void whatTheWorkerDoesNotKnowFails() {
    assertThat(runs("ghost")).isEmpty();
    assertThat(deadLetters("ghost"))
        .extracting(TaskActivation::getNamespace)
        .containsExactlyInAnyOrder("work", "nowhere");
    assertThat(deadLetters("ghost"))
        .allSatisfy(letter -> assertThat(letter.getRetryState().getAttempts()).isZero());
  }

  @Test
  void anOverrunIsInterruptedAndFails() {
    assertThat(only(runs("overrun")).outcome()).isEqualTo("ProcessingDeadlineExceeded");
    assertThat(deadLetters("overrun")).isEmpty();
  }

  @Test
  void nobodyWasRefused() {
    assertThat(refusals().filter(code -> !code.equals("NOT_FOUND"))).isEmpty();
  }

  final Stream<String> refusals() {
    return metrics("taskworker.client.rpc_error").map(tags -> tags.path("status").asString());
  }

  /// The tags of a metric, each time that the client counted it.
  final Stream<JsonNode> metrics(String name) {
    return notesOfMetric(name).map(note -> note.path("tags"));
  }

  final Stream<JsonNode> notesOfMetric(String name) {
    return deployment
        .journal()
        .notes("metric")
        .filter(note -> note.path("name").asString().equals(name));
  }

  final List<Run> runs(String task) {
    return deployment.journal().runs(task);
  }

  final List<Run> echoes(String key) {
    return runs("echo").stream().filter(run -> run.args().path(0).asString().equals(key)).toList();
  }

  final Run onlyEcho(String key) {
    return only(echoes(key));
  }

  final List<TaskActivation> deadLetters(String task) {
    return deadLetters.stream().filter(letter -> letter.getTaskname().equals(task)).toList();
  }

  final TaskActivation published(Run run) {
    return only(published.stream().filter(each -> each.getId().equals(run.id())).toList());
  }

  static <T> T only(List<T> list) {
    assertThat(list).hasSize(1);
    return list.getFirst();
  }

  private static String hex(int characters) {
    byte[] bytes = new byte[characters / 2];
    new Random(characters).nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static String sha256(String text) throws Exception {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
