package io.taskbroker.admin;

import io.taskbroker.admin.DeadLetterViews.Letter;
import io.taskbroker.admin.DeadLetterViews.LetterDetail;
import io.taskbroker.admin.DeadLetterViews.LetterGroup;
import io.taskbroker.admin.DeadLetterViews.LetterGroups;
import io.taskbroker.admin.DeadLetterViews.LetterPage;
import io.taskbroker.admin.DeadLetterViews.ReplayRun;
import io.taskbroker.admin.DeadLetterViews.ReplayRuns;
import io.taskbroker.admin.Route.Param;
import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.config.KafkaConfig;
import io.taskbroker.deadletter.Cursor;
import io.taskbroker.deadletter.DeadLetter;
import io.taskbroker.deadletter.DeadLetterException;
import io.taskbroker.deadletter.DeadLetterFilter;
import io.taskbroker.deadletter.DeadLetterPage;
import io.taskbroker.deadletter.DeadLetters;
import io.taskbroker.deadletter.ErrorGroups;
import io.taskbroker.deadletter.Parameters;
import io.taskbroker.payload.Redaction;
import io.taskbroker.proto.v1.TaskActivation;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/// Operations that read dead letters; [ReplayApi] acts on them. Each reads the topic from Kafka, a
/// bounded number at a time and for a bounded time. Thread-safe.
final class DeadLetterApi {
  private static final int AT_A_TIME = 2;
  private static final long PATIENCE_MS = 5_000;
  private static final Duration LONGEST = Duration.ofSeconds(8);
  private static final int MAX_PAGE = 500;
  private static final int MAX_GROUPS = 500;
  private static final int MAX_SHOWN = 128 << 10;

  private static final List<Param> FILTER =
      List.of(
          new Param("since", "string", "Only failures at or after this time."),
          new Param("until", "string", "Only failures before this time."),
          new Param("application", "string", "Application of the task."),
          new Param("namespace", "string", "Namespace of the task."),
          new Param("taskname", "string", "Name of the task."),
          new Param("error", "string", "Part of the reason, in any case."),
          new Param("header", "string", "A header that it has: `name=value`."),
          new Param("id", "string", "Position (`partition:offset`), or id of the task."));

  private static final List<Param> SEARCH = search();

  private final KafkaConfig kafka;
  private final Redaction redaction;
  private final ReplayJobs jobs;
  private final Semaphore places = new Semaphore(AT_A_TIME);

  DeadLetterApi(KafkaConfig kafka, Redaction redaction, ReplayJobs jobs) {
    this.kafka = kafka;
    this.redaction = redaction;
    this.jobs = jobs;
  }

  private static List<Param> search() {
    List<Param> all = new ArrayList<>(FILTER);
    all.add(new Param("limit", "integer", "Most letters of the page: 1 to 500, 100 by default."));
    all.add(new Param("cursor", "string", "The `cursor` of the page before."));
    return List.copyOf(all);
  }

  List<Route> routes() {
    return List.of(
        read(
            "/v1/dead-letters",
            "Searches the dead-letter topic, oldest first; ends after 8 s, with a cursor.",
            SEARCH,
            LetterPage.class,
            this::page),
        read(
            "/v1/dead-letters/groups",
            "Dead letters by task and error.",
            FILTER,
            LetterGroups.class,
            this::groups),
        read(
            "/v1/dead-letters/{id}",
            "One dead letter in full, by position or by the id of its task.",
            List.of(),
            LetterDetail.class,
            this::letter),
        read(
            "/v1/dead-letters/runs",
            "Replays and discards of this broker process, latest first.",
            List.of(),
            ReplayRuns.class,
            _ -> new ReplayRuns(jobs.all())),
        read(
            "/v1/dead-letters/runs/{run}",
            "One replay or discard, with its progress.",
            List.of(),
            ReplayRun.class,
            request ->
                jobs.find(request.variable())
                    .orElseThrow(() ->
                        new ApiProblem(
                            404,
                            "Not found",
                            "No such run is remembered: the broker keeps "
                                + ReplayJobs.KEPT
                                + " until it ends"))));
  }

  private static Route read(
      String path, String summary, List<Param> params, Class<?> answer, Route.Handler handler) {
    return new Route("GET", path, Role.READ, summary, params, null, answer, handler);
  }

  private Object page(ApiRequest request) throws InterruptedException {
    DeadLetterFilter filter = filter(request);
    int limit = request.number("limit", 1, MAX_PAGE).orElse(100L).intValue();
    Cursor from = cursor(request.text("cursor").orElse(""));
    return with(letters -> {
      long end = System.nanoTime() + LONGEST.toNanos();
      List<Letter> found = new ArrayList<>();
      DeadLetters.Visited visited =
          letters.visit(
              filter,
              from,
              (_, entry) -> {
                entry.map(Letter::of).ifPresent(found::add);
                return found.size() < limit && System.nanoTime() - end < 0;
              });
      return new LetterPage(
          found,
          visited.complete() ? Optional.empty() : Optional.of(visited.next().toString()),
          visited.scanned());
    });
  }

  private Object groups(ApiRequest request) throws InterruptedException {
    DeadLetterFilter filter = filter(request);
    return with(letters -> {
      long end = System.nanoTime() + LONGEST.toNanos();
      var groups = new ErrorGroups();
      DeadLetters.Visited visited =
          letters.visit(
              filter,
              Cursor.START,
              (_, entry) -> {
                entry.ifPresent(groups::add);
                return System.nanoTime() - end < 0;
              });
      return new LetterGroups(
          groups.mostFrequentFirst().stream().limit(MAX_GROUPS).map(LetterGroup::of).toList(),
          visited.scanned(),
          visited.complete());
    });
  }

  private Object letter(ApiRequest request) throws InterruptedException {
    return detail(find(request.variable()));
  }

  /// The dead letter at a position, or the last one of a task.
  DeadLetterPage.Entry find(String positionOrId) throws InterruptedException {
    return with(letters -> letters.find(positionOrId))
        .orElseThrow(() ->
            new ApiProblem(
                404, "Not found", "No such dead letter is in topic " + kafka.deadletterTopic()));
  }

  private LetterDetail detail(DeadLetterPage.Entry entry) {
    DeadLetter letter = entry.letter();
    Map<String, String> recordHeaders = redaction.hide(letter.headers());
    if (letter.task().isEmpty()) {
      byte[] shown = letter.payload().length > MAX_SHOWN ? new byte[0] : letter.payload();
      return new LetterDetail(
          Letter.of(entry),
          recordHeaders,
          Map.of(),
          0,
          false,
          Optional.empty(),
          false,
          Optional.of(Base64.getEncoder().encodeToString(shown)),
          Optional.of("its payload is no task"));
    }
    TaskActivation task = letter.task().get();
    Optional<JsonNode> arguments = Optional.empty();
    String problem = "";
    boolean editable = false;
    try {
      Parameters parameters = Parameters.of(task);
      JsonNode shown = redaction.hide(parameters.arguments());
      if (shown.toString().length() > MAX_SHOWN) {
        problem = "the arguments are too large to be shown here: see taskbroker dlq show";
      } else {
        arguments = Optional.of(shown);
        if (!parameters.exact()) {
          problem = "the arguments hold values that JSON does not have";
        } else if (!BrowserNumbers.survive(shown)) {
          problem = "a browser would change its numbers: edit them by taskbroker dlq edit";
        }
        editable = problem.isEmpty();
      }
    } catch (IllegalArgumentException e) {
      problem = String.valueOf(e.getMessage());
    }
    return new LetterDetail(
        Letter.of(entry),
        recordHeaders,
        redaction.hide(task.getHeadersMap()),
        Integer.toUnsignedLong(task.getRetryState().getMaxAttempts()),
        task.getRetryState().getAtMostOnce(),
        arguments.map(Function.identity()),
        editable,
        Optional.empty(),
        Optional.of(problem).filter(text -> !text.isEmpty()));
  }

  /// Work on the open topic.
  private <T> T with(Function<DeadLetters, T> work) throws InterruptedException {
    requireTopic(kafka);
    if (!places.tryAcquire(PATIENCE_MS, TimeUnit.MILLISECONDS)) {
      throw ApiProblem.tooMany("Too many requests read dead letters at once; try again");
    }
    try (DeadLetters letters = DeadLetters.open(kafka, kafka.deadletterTopic())) {
      return work.apply(letters);
    } catch (DeadLetterException e) {
      throw ApiProblem.unavailable(String.valueOf(e.getMessage()));
    } finally {
      places.release();
    }
  }

  static void requireTopic(KafkaConfig kafka) {
    if (!kafka.isEnabled() || !kafka.topics().containsKey(kafka.deadletterTopic())) {
      throw ApiProblem.unavailable(
          "This broker has no dead-letter topic: kafka_deadletter_topic must name one of"
              + " kafka_topics");
    }
  }

  private static DeadLetterFilter filter(ApiRequest request) {
    return new DeadLetterFilter(
        request.text("since").map(text -> time("since", text)).orElse(0L),
        request.text("until").map(text -> time("until", text)).orElse(Long.MAX_VALUE),
        request.text("taskname").orElse(""),
        request.text("namespace").orElse(""),
        request.text("application").orElse(""),
        request.text("error").orElse(""),
        request.text("header").map(DeadLetterApi::header).orElse(Map.of()),
        request.text("id").map(Set::of).orElse(Set.of()));
  }

  static Map<String, String> header(String text) {
    int equals = text.indexOf('=');
    if (equals < 1) {
      throw ApiProblem.invalid("header must be NAME=VALUE");
    }
    return Map.of(text.substring(0, equals), text.substring(equals + 1));
  }

  private static long time(String name, String text) {
    try {
      return Instant.parse(text).toEpochMilli();
    } catch (DateTimeParseException | ArithmeticException _) {
      throw ApiProblem.invalid(name + " must be a time such as 2026-11-30T08:00:00Z");
    }
  }

  private static Cursor cursor(String text) {
    try {
      return Cursor.of(text);
    } catch (IllegalArgumentException _) {
      throw ApiProblem.invalid("cursor must be that of an earlier page");
    }
  }
}
