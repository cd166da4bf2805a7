package io.taskbroker.admin;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.admin.AuditLog.Entry;
import io.taskbroker.admin.web.CrossSite;
import io.taskbroker.admin.web.WebPage;
import io.taskbroker.store.StoreException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Handler of all requests: authenticates, finds the operation, records acts, and answers in JSON;
/// problems in the form of RFC 9457. Blocks its virtual thread. Thread-safe.
final class AdminHandler extends Handler.Abstract {
  private static final Logger log = LoggerFactory.getLogger(AdminHandler.class);
  static final int MAX_BODY = 256 << 10;
  static final int LEAST_REASON = 3;
  static final int LONGEST_REASON = 500;
  private static final String JSON_TYPE = "application/json";
  private static final String PROBLEM_TYPE = "application/problem+json";

  private final Authenticator authenticator;
  private final List<Route> routes;
  private final AuditLog audit;
  private final RefusedActs refused;
  private final Supplier<Views.Before> before;
  private final JsonMapper json;
  private final WebPage page;
  private final boolean readOnly;
  private final InstantSource clock = InstantSource.system();

  /// @param before state before the act, for the record of acts
  AdminHandler(
      Authenticator authenticator,
      List<Route> routes,
      AuditLog audit,
      Supplier<Views.Before> before,
      JsonMapper json,
      WebPage page,
      boolean readOnly) {
    this.authenticator = authenticator;
    this.routes = List.copyOf(routes);
    this.audit = audit;
    this.refused = new RefusedActs(audit, clock, System::nanoTime);
    this.before = before;
    this.json = json;
    this.page = page;
    this.readOnly = readOnly;
  }

  List<Route> operations() {
    return routes;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    try {
      if (page.handle(request, response, callback)) {
        return true;
      }
      Object body = answer(request);
      write(response, callback, 200, JSON_TYPE, json.writeValueAsBytes(body));
    } catch (ApiProblem problem) {
      if (problem.isRefusal() && !HttpMethod.GET.is(request.getMethod())) {
        refused.add(
            Request.getRemoteAddr(request),
            request.getMethod() + " " + request.getHttpURI().getPath(),
            problem);
      }
      problem(response, callback, problem);
    } catch (StoreException e) {
      String detail = String.valueOf(e.getMessage());
      problem(
          response,
          callback,
          e.kind() == StoreException.Kind.DATA
              ? ApiProblem.invalid("The store cannot hold what the request names: " + detail)
              : ApiProblem.unavailable(detail));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      problem(response, callback, ApiProblem.unavailable("The broker is stopping"));
    } catch (RuntimeException | IOException e) {
      log.warn("Cannot answer {} {}", request.getMethod(), request.getHttpURI().getPath(), e);
      problem(
          response,
          callback,
          new ApiProblem(500, "Failed", "The broker could not answer; its log says why"));
    }
    return true;
  }

  /// Answers a request that another part of the server refuses.
  void refuse(Response response, Callback callback, int status) {
    problem(
        response,
        callback,
        status == 429
            ? new ApiProblem(
                429, "Too many requests", "Wait a second; see admin.requests_per_second")
            : new ApiProblem(status, "Refused", "The request is not one that the API accepts"));
  }

  private void problem(Response response, Callback callback, ApiProblem problem) {
    if (problem.status() == 401) {
      response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, "Bearer");
    }
    if (problem.status() == 429 || problem.status() == 503) {
      response.getHeaders().put(HttpHeader.RETRY_AFTER, "1");
    }
    write(
        response, callback, problem.status(), PROBLEM_TYPE, json.writeValueAsBytes(problem.body()));
  }

  private static void write(
      Response response, Callback callback, int status, String type, byte[] body) {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    response.getHeaders().put("X-Content-Type-Options", "nosniff");
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  private Object answer(Request request) throws InterruptedException, IOException {
    Caller caller = authenticator.caller(request);
    String path = Optional.ofNullable(request.getHttpURI().getPath()).orElse("/");
    Route route = route(request.getMethod(), path);
    if (!caller.may(route.role())) {
      throw new ApiProblem(
          403,
          "Forbidden",
          caller.name() + " has the role " + caller.role() + "; this needs " + route.role());
    }
    if (route.writes()) {
      requireWritable(request);
    }
    byte[] content = route.writes() ? content(request) : new byte[0];
    var asked =
        new ApiRequest(caller, decoded(route.variable(path)), query(request), content, json);
    asked.requireKnown(route.params().stream().map(Route.Param::name).collect(Collectors.toSet()));
    return route.writes() ? record(route, asked) : route.handler().answer(asked);
  }

  private void requireWritable(Request request) {
    if (CrossSite.isForeign(request)) {
      throw new ApiProblem(403, "Forbidden", "The page of another site may not act here");
    }
    if (readOnly) {
      throw new ApiProblem(
          403, "Forbidden", "This API only reads: admin.read_only of the broker is set");
    }
  }

  private Route route(String method, String path) {
    List<Route> here = routes.stream().filter(route -> route.matches(path)).toList();
    // A fixed path comes before one with a variable.
    Optional<Route> exact =
        here.stream()
            .filter(route -> route.method().equals(method))
            .min((a, b) -> Boolean.compare(a.path().contains("{"), b.path().contains("{")));
    if (exact.isPresent()) {
      return exact.get();
    }
    if (here.isEmpty()) {
      throw new ApiProblem(404, "Not found", "There is no such path; see /openapi.json");
    }
    throw new ApiProblem(
        405,
        "Method not allowed",
        "Use " + here.stream().map(Route::method).distinct().collect(Collectors.joining(" or ")));
  }

  private static String decoded(String part) {
    try {
      return URLDecoder.decode(part.replace("+", "%2B"), UTF_8);
    } catch (IllegalArgumentException _) {
      throw ApiProblem.invalid("The path is not encoded as a URL");
    }
  }

  private static Map<String, String> query(Request request) {
    var query = new HashMap<String, String>();
    Fields fields;
    try {
      fields = Request.extractQueryParameters(request, UTF_8);
    } catch (RuntimeException _) {
      throw ApiProblem.invalid("The query is not encoded as a URL");
    }
    for (Fields.Field field : fields) {
      if (field.getValues().size() > 1) {
        throw ApiProblem.invalid("A parameter is given more than once");
      }
      query.put(field.getName(), field.getValue());
    }
    return query;
  }

  /// A browser asks before it sends this type across origins, which nothing here allows.
  private static byte[] content(Request request) throws IOException {
    String type = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
    if (type == null || !type.split(";", 2)[0].strip().equalsIgnoreCase(JSON_TYPE)) {
      throw new ApiProblem(
          415, "Unsupported media type", "Send JSON, with Content-Type: " + JSON_TYPE);
    }
    try (InputStream in = Content.Source.asInputStream(request)) {
      byte[] content = in.readNBytes(MAX_BODY + 1);
      if (content.length > MAX_BODY) {
        throw new ApiProblem(
            413, "Too large", "The body is larger than " + MAX_BODY + " bytes; send it in parts");
      }
      return content;
    }
  }

  /// Does an act between its two lines in the record.
  private Object record(Route route, ApiRequest asked) throws InterruptedException {
    requireKnownFields(route, asked);
    Map<?, ?> body = asJson(asked);
    if (Boolean.TRUE.equals(body.get("dry_run"))) {
      return route.handler().answer(asked);
    }
    if (!(body.get("reason") instanceof String reason)
        || reason.strip().length() < LEAST_REASON
        || reason.length() > LONGEST_REASON) {
      throw ApiProblem.invalid(
          "reason must say why, in "
              + LEAST_REASON
              + " to "
              + LONGEST_REASON
              + " characters: it is kept in the audit record");
    }
    try {
      audit.record(entry("intended", route, asked, reason, body, before.get(), null));
    } catch (IOException e) {
      throw ApiProblem.unavailable("The act was not done: " + e.getMessage());
    }
    Object answer;
    try {
      answer = route.handler().answer(asked);
    } catch (ApiProblem problem) {
      recordOutcome(entry("failed", route, asked, reason, null, null, problem.body()));
      throw problem;
    } catch (RuntimeException e) {
      recordOutcome(entry("failed", route, asked, reason, null, null, e.toString()));
      throw e;
    }
    recordOutcome(entry("done", route, asked, reason, null, null, answer));
    return answer;
  }

  /// Records what became of an act. It is too late to refuse it: the caller is told the outcome,
  /// and would otherwise repeat what was done.
  private void recordOutcome(Entry entry) {
    try {
      audit.record(entry);
    } catch (IOException e) {
      log.error(
          "The outcome of {} by {}, {}, is not in the record: {}",
          entry.act(),
          entry.who(),
          entry.phase(),
          e.getMessage());
    }
  }

  /// Refuses a body with fields that the operation does not have, such as `dry_run` of an act that
  /// cannot be tried.
  private static void requireKnownFields(Route route, ApiRequest asked) {
    Class<?> type = route.body();
    if (type != null) {
      Object _ = asked.body(type);
    }
  }

  private Map<?, ?> asJson(ApiRequest asked) {
    try {
      Map<?, ?> body = json.readValue(asked.content(), Map.class);
      if (body != null) {
        return body;
      }
      throw ApiProblem.invalid("The body must be a JSON object");
    } catch (JacksonException e) {
      throw ApiProblem.invalid("The body must be a JSON object: " + e.getOriginalMessage());
    }
  }

  private Entry entry(
      String phase,
      Route route,
      ApiRequest asked,
      String reason,
      @Nullable Object request,
      @Nullable Object before,
      @Nullable Object after) {
    Caller caller = asked.caller();
    return new Entry(
        clock.instant(),
        phase,
        caller.name(),
        caller.role().name(),
        caller.address(),
        route.method() + " " + route.path(),
        reason.replaceAll("\\p{Cc}", " "),
        request,
        before,
        after);
  }
}
