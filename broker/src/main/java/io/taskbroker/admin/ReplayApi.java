package io.taskbroker.admin;

import io.taskbroker.admin.DeadLetterViews.ReplayRun;
import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.config.KafkaConfig;
import io.taskbroker.deadletter.DeadLetterFilter;
import io.taskbroker.deadletter.Parameters;
import io.taskbroker.deadletter.Position;
import io.taskbroker.deadletter.Replay;
import io.taskbroker.deadletter.ReplayOptions;
import io.taskbroker.payload.Redaction;
import io.taskbroker.proto.v1.TaskActivation;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Operations that replay and discard dead letters. Each begins a run, which goes on when the
/// answer is sent. Thread-safe.
final class ReplayApi {
  private static final int MAX_IDS = 1_000;
  private static final int MAX_RATE = 10_000;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final KafkaConfig kafka;
  private final Redaction redaction;
  private final ReplayJobs jobs;
  private final DeadLetterApi letters;
  private final JsonMapper json = new JsonMapper();

  ReplayApi(KafkaConfig kafka, Redaction redaction, ReplayJobs jobs, DeadLetterApi letters) {
    this.kafka = kafka;
    this.redaction = redaction;
    this.jobs = jobs;
    this.letters = letters;
  }

  List<Route> routes() {
    return List.of(
        write(
            "/v1/dead-letters/replay",
            "Begins to replay dead letters, each once; one run at a time.",
            Bodies.Replay.class,
            this::replay),
        write(
            "/v1/dead-letters/discard",
            "Begins to mark dead letters as discarded.",
            Bodies.DiscardLetters.class,
            this::discard),
        write(
            "/v1/dead-letters/runs/stop",
            "Stops a run; what it did until then is done.",
            Bodies.StopReplay.class,
            request -> {
              String run = request.body(Bodies.StopReplay.class).run();
              if (run == null) {
                throw ApiProblem.invalid("run must be the id of a run");
              }
              return jobs.stop(run);
            }));
  }

  private static Route write(String path, String summary, Class<?> body, Route.Handler handler) {
    return new Route(
        "POST", path, Role.OPERATE, summary, List.of(), body, ReplayRun.class, handler);
  }

  private Object replay(ApiRequest request) throws InterruptedException {
    DeadLetterApi.requireTopic(kafka);
    Bodies.Replay body = request.body(Bodies.Replay.class);
    DeadLetterFilter filter = filter(body.filter(), body.all());
    ReplayOptions options =
        options(
            body.to().orElse(""),
            body.rate(),
            body.limit(),
            body.dryRun(),
            body.keepAttempts().orElse(false),
            body.atMostOnce().orElse(false),
            body.copies().orElse(false),
            body.reason());
    String topic = kafka.deadletterTopic();
    ReplayJobs.Work work =
        body.arguments().isPresent()
            ? edited(body, options)
            : progress -> Replay.replay(kafka, topic, filter, options, progress);
    return jobs.start("replay", options.dryRun(), request.caller().name(), options.reason(), work);
  }

  /// Replay of one dead letter with other arguments, checked before it begins.
  private ReplayJobs.Work edited(Bodies.Replay body, ReplayOptions options)
      throws InterruptedException {
    String only =
        body.filter()
            .flatMap(Bodies.DeadLetterFilter::ids)
            .filter(ids -> ids.size() == 1 && Position.isPosition(ids.getFirst()))
            .map(List::getFirst)
            .orElseThrow(() ->
                ApiProblem.invalid("arguments go with one id, the position of a dead letter"));
    TaskActivation task =
        letters
            .find(only)
            .letter()
            .task()
            .orElseThrow(() -> ApiProblem.invalid("The payload of " + only + " is no task"));
    String arguments;
    try {
      JsonNode changed = json.valueToTree(body.arguments().orElseThrow());
      arguments = redaction.restore(changed, Parameters.of(task).arguments()).toString();
      TaskActivation _ = Parameters.replace(task, arguments);
    } catch (IllegalArgumentException e) {
      throw ApiProblem.invalid("The arguments cannot be replaced: " + e.getMessage());
    }
    Position position = Position.of(only);
    return progress ->
        Replay.edited(kafka, kafka.deadletterTopic(), position, arguments, options, progress);
  }

  private Object discard(ApiRequest request) {
    DeadLetterApi.requireTopic(kafka);
    Bodies.DiscardLetters body = request.body(Bodies.DiscardLetters.class);
    DeadLetterFilter filter = filter(body.filter(), body.all());
    ReplayOptions options =
        options(
            "",
            body.rate(),
            body.limit(),
            body.dryRun(),
            false,
            false,
            body.copies().orElse(false),
            body.reason());
    return jobs.start(
        "discard",
        options.dryRun(),
        request.caller().name(),
        options.reason(),
        progress -> Replay.discard(kafka, kafka.deadletterTopic(), filter, options, progress));
  }

  private static ReplayOptions options(
      String to,
      Optional<Integer> rate,
      Optional<Long> limit,
      Optional<Boolean> dryRun,
      boolean keepAttempts,
      boolean atMostOnce,
      boolean copies,
      String reason) {
    int perSecond = rate.orElse(100);
    long most = limit.orElse(Long.MAX_VALUE);
    if (perSecond < 1 || perSecond > MAX_RATE || most < 1) {
      throw ApiProblem.invalid("rate must be from 1 to " + MAX_RATE + ", and limit at least 1");
    }
    return new ReplayOptions(
        to,
        perSecond,
        most,
        dryRun.orElse(false),
        keepAttempts,
        atMostOnce,
        copies,
        Optional.ofNullable(reason).orElse(""),
        PATIENCE);
  }

  private static DeadLetterFilter filter(
      Optional<Bodies.DeadLetterFilter> given, Optional<Boolean> all) {
    DeadLetterFilter filter = given.map(ReplayApi::filter).orElse(DeadLetterFilter.ALL);
    if (filter.equals(DeadLetterFilter.ALL) && !all.orElse(false)) {
      throw ApiProblem.invalid(
          "The filter is empty, so it matches everything: name something, or send all");
    }
    return filter;
  }

  private static long millis(Instant time) {
    try {
      return time.toEpochMilli();
    } catch (ArithmeticException _) {
      throw ApiProblem.invalid("filter.since and filter.until are out of range");
    }
  }

  private static DeadLetterFilter filter(Bodies.DeadLetterFilter body) {
    List<String> ids = body.ids().orElse(List.of());
    if (ids.size() > MAX_IDS || (body.ids().isPresent() && ids.isEmpty())) {
      throw ApiProblem.invalid("ids must have 1 to " + MAX_IDS + " entries");
    }
    return new DeadLetterFilter(
        body.since().map(ReplayApi::millis).orElse(0L),
        body.until().map(ReplayApi::millis).orElse(Long.MAX_VALUE),
        body.taskname().orElse(""),
        body.namespace().orElse(""),
        body.application().orElse(""),
        body.error().orElse(""),
        body.header().map(DeadLetterApi::header).orElse(Map.of()),
        new HashSet<>(ids));
  }
}
