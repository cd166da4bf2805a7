package io.taskbroker.admin;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.difflib.DiffUtils;
import com.github.difflib.UnifiedDiffUtils;
import com.github.difflib.algorithm.myers.MyersDiffWithLinearSpace;
import io.taskbroker.admin.Route.Param;
import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.config.ConfigException;
import io.taskbroker.rules.OperatorRules;
import io.taskbroker.rules.RuleSet;
import io.taskbroker.rules.RuleStatus;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowGroups;
import io.taskbroker.store.RuleHistory;
import io.taskbroker.store.RuleHistory.Version;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Operations on the rules: killswitches and demotions, of the file and of the API. Thread-safe.
final class RulesApi {
  private static final int MAX_LINES = 2_000;
  private static final int DIFF_CONTEXT = 3;
  private static final String FILE = "file";
  private static final String API = "api";

  private final OperatorRules rules;
  private final BrokerStatus status;
  private final RowBrowser rows;

  RulesApi(OperatorRules rules, BrokerStatus status, RowBrowser rows) {
    this.rules = rules;
    this.status = status;
    this.rows = rows;
  }

  List<Route> routes() {
    return List.of(
        read("/v1/rules", "Rules in force, of the file and of the API.", List.of(), _ -> view()),
        new Route(
            "GET",
            "/v1/rules/versions",
            Role.READ,
            "Versions of the rules of the API, the newest first.",
            List.of(),
            null,
            Views.RuleVersions.class,
            _ -> new Views.RuleVersions(versions().stream().map(RulesApi::summary).toList())),
        new Route(
            "GET",
            "/v1/rules/versions/{version}",
            Role.READ,
            "One version, with its rules.",
            List.of(),
            null,
            Views.RuleVersionDetail.class,
            request -> {
              Version version = version(request.variable());
              return new Views.RuleVersionDetail(summary(version), version.rules());
            }),
        new Route(
            "GET",
            "/v1/rules/diff",
            Role.READ,
            "What one version changes of another, as a unified diff.",
            List.of(
                new Param("from", "integer", "A version; by default the one before `to`."),
                new Param("to", "integer", "A version; by default the newest.")),
            null,
            Views.RulesDiff.class,
            this::diff),
        write(
            "PUT",
            "/v1/rules",
            "Replaces the rules of the API.",
            Bodies.SetRules.class,
            request -> {
              Bodies.SetRules body = request.body(Bodies.SetRules.class);
              return change(
                  request,
                  body.rules(),
                  body.ifVersion(),
                  body.reason(),
                  body.dryRun().orElse(false));
            }),
        write(
            "POST",
            "/v1/rules/rollback",
            "Sets the rules of an earlier version again, as a new version.",
            Bodies.RollBackRules.class,
            request -> {
              Bodies.RollBackRules body = request.body(Bodies.RollBackRules.class);
              return change(
                  request,
                  version(Long.toString(body.version())).rules(),
                  body.ifVersion(),
                  body.reason(),
                  body.dryRun().orElse(false));
            }));
  }

  private static Route read(
      String path, String summary, List<Param> params, Route.Handler handler) {
    return new Route("GET", path, Role.READ, summary, params, null, Views.Rules.class, handler);
  }

  private static Route write(
      String method, String path, String summary, Class<?> body, Route.Handler handler) {
    return new Route(
        method, path, Role.OPERATE, summary, List.of(), body, Views.RulesChange.class, handler);
  }

  /// The rules in force. Does not wait.
  Views.Rules view() {
    Optional<RuleStatus> file = status.rules();
    List<RuleStatus.Rule> ofFile = file.map(RuleStatus::rules).orElse(List.of());
    List<RuleStatus.Rule> ofApi = rules.rules();
    Optional<Version> version = rules.current();
    return new Views.Rules(
        file.map(found -> found.file().toString()),
        names(RuleStatus.Effect.SWITCHED_OFF, ofFile, ofApi),
        names(RuleStatus.Effect.DEMOTED, ofFile, ofApi),
        Stream.of(file.map(RuleStatus::problem), Optional.of(rules.problem()))
            .flatMap(Optional::stream)
            .filter(problem -> !problem.isEmpty())
            .reduce((one, other) -> one + "; " + other),
        Stream.concat(
                ofFile.stream().map(rule -> view(rule, FILE)),
                ofApi.stream().map(rule -> view(rule, API)))
            .toList(),
        version.map(Version::number).orElse(0L),
        version.map(Version::rules).orElse(""),
        version.map(RulesApi::summary));
  }

  private static List<String> names(
      RuleStatus.Effect effect, List<RuleStatus.Rule> one, List<RuleStatus.Rule> other) {
    return Stream.concat(one.stream(), other.stream())
        .filter(rule -> rule.effect() == effect)
        .map(RuleStatus.Rule::name)
        .distinct()
        .sorted()
        .toList();
  }

  private static Views.Rule view(RuleStatus.Rule rule, String source) {
    return new Views.Rule(
        rule.effect().name().toLowerCase(Locale.ROOT), rule.name(), source, rule.matches());
  }

  private static Views.RuleVersion summary(Version version) {
    return new Views.RuleVersion(version.number(), version.at(), version.who(), version.why());
  }

  private List<Version> versions() {
    return rules.versions();
  }

  /// A kept version, by its number as text.
  private Version version(String number) {
    return versions().stream()
        .filter(version -> Long.toString(version.number()).equals(number))
        .findFirst()
        .orElseThrow(() ->
            new ApiProblem(
                404,
                "Not found",
                "There is no such version of the rules; GET /v1/rules/versions lists the last "
                    + RuleHistory.KEPT));
  }

  private Object diff(ApiRequest request) {
    List<Version> versions = versions();
    long to =
        request
            .number("to", 1, Long.MAX_VALUE)
            .orElse(versions.isEmpty() ? 0L : versions.getFirst().number());
    long from = request.number("from", 0, Long.MAX_VALUE).orElse(Math.max(0, to - 1));
    return new Views.RulesDiff(from, to, unified(from, text(from), to, text(to)));
  }

  /// Version 0 is that without rules.
  private String text(long number) {
    return number == 0 ? "" : version(Long.toString(number)).rules();
  }

  private static List<String> unified(long from, String before, long to, String after) {
    List<String> old = before.lines().toList();
    return UnifiedDiffUtils.generateUnifiedDiff(
        "version " + from,
        "version " + to,
        old,
        DiffUtils.diff(old, after.lines().toList(), new MyersDiffWithLinearSpace<String>()),
        DIFF_CONTEXT);
  }

  private Object change(
      ApiRequest request, String text, Optional<Long> ifVersion, String reason, boolean dryRun) {
    if (text == null
        || text.getBytes(UTF_8).length > RuleHistory.MAX_BYTES
        || text.lines().count() > MAX_LINES) {
      throw ApiProblem.invalid(
          "rules must be text of at most "
              + RuleHistory.MAX_BYTES
              + " bytes and "
              + MAX_LINES
              + " lines: YAML, as in the rules file");
    }
    Optional<Version> before = rules.current();
    long current = before.map(Version::number).orElse(0L);
    long replaced =
        ifVersion.orElseThrow(() ->
            ApiProblem.invalid(
                "if_version must be the version that you saw; now it is " + current));
    List<String> warnings = new ArrayList<>();
    RuleSet parsed = parsed(() -> rules.parse(text, warnings::add));
    if (replaced != current) {
      throw conflict(replaced, current);
    }
    List<String> diff =
        unified(replaced, before.map(Version::rules).orElse(""), replaced + 1, text);
    if (dryRun) {
      return new Views.RulesChange(current, true, warnings, diff, Optional.of(touched(parsed)));
    }
    String who = request.caller().name();
    Version set =
        parsed(() -> rules.set(replaced, who, reason.strip(), text))
            .orElseThrow(() -> conflict(replaced, rules.current().map(Version::number).orElse(0L)));
    return new Views.RulesChange(set.number(), false, warnings, diff, Optional.empty());
  }

  private static ApiProblem conflict(long replaced, long current) {
    return new ApiProblem(
        409,
        "Conflict",
        "The rules are at version "
            + current
            + ", not "
            + replaced
            + ": somebody changed them; look at them and try again");
  }

  /// Tasks in flight that the rules would touch.
  private Views.Touched touched(RuleSet parsed) {
    RowGroups groups;
    try {
      groups = rows.groups(TaskSearch.WITHIN);
    } catch (RowBrowser.SearchTimeout e) {
      throw ApiProblem.unavailable(String.valueOf(e.getMessage()));
    }
    long removed = 0;
    long byArguments = 0;
    long demoted = 0;
    for (RowGroups.Group group : groups.groups()) {
      switch (parsed.fate(group.namespace(), group.taskname())) {
        case KEPT -> {}
        case REMOVED -> removed += group.tasks();
        case REMOVED_BY_ARGUMENTS -> byArguments += group.tasks();
        case DEMOTED -> demoted += group.tasks();
      }
    }
    return new Views.Touched(
        removed, byArguments, demoted, groups.complete() && groups.others() == 0);
  }

  private static <T> T parsed(Supplier<T> work) {
    try {
      return work.get();
    } catch (ConfigException e) {
      throw ApiProblem.invalid("The rules are invalid: " + e.getMessage());
    }
  }
}
