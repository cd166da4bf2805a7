package io.taskbroker.admin.web;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The page under `/ui/`: its files, the session (`/ui/session`) and the live figures
/// (`/ui/events`). Files need no authentication: they hold no data. Blocks its virtual thread.
/// Thread-safe.
public final class WebPage {
  private static final String ROOT = "/ui";
  private static final String ASSETS = ROOT + "/assets/";
  private static final int MAX_BODY = 4 << 10;

  /// Scripts and styles of this server only, no inline ones, no frames, no other servers, and no
  /// text that becomes a script.
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
          + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
          + " require-trusted-types-for 'script'; trusted-types 'none'";

  private final PageAccess access;
  private final Sessions sessions;
  private final Facts facts;
  private final JsonMapper json;
  private final LiveFeed feed;

  /// Configuration that the page shows or obeys.
  ///
  /// @param tokens whether callers can sign in with a token
  /// @param readOnly whether the API refuses all writes
  public record Facts(boolean tokens, boolean readOnly) {}

  /// The files are read when somebody asks for the page.
  private static final class Files {
    private static final PageFiles ALL = new PageFiles();
  }

  public WebPage(PageAccess access, Sessions sessions, Trend trend, Facts facts, JsonMapper json) {
    this.access = access;
    this.sessions = sessions;
    this.facts = facts;
    this.json = json;
    this.feed = new LiveFeed(access, trend, json);
  }

  /// Ends the streams of live figures.
  public void close() {
    feed.close();
  }

  /// Answers a request, if it is one for the page.
  ///
  /// @return whether it is
  public boolean handle(Request request, Response response, Callback callback)
      throws IOException, InterruptedException {
    String path = Optional.ofNullable(request.getHttpURI().getPath()).orElse("/");
    if (path.equals("/") || path.equals(ROOT)) {
      Response.sendRedirect(request, response, callback, ROOT + "/");
      return true;
    }
    if (!path.startsWith(ROOT + "/")) {
      return false;
    }
    harden(response);
    switch (path) {
      case ROOT + "/session" -> session(request, response, callback);
      case ROOT + "/events" -> events(request, response, callback);
      default -> {
        if (!request.getMethod().equals("GET") && !request.getMethod().equals("HEAD")) {
          send(response, callback, 405, problem(405, "Use GET"));
        } else if (path.startsWith(ASSETS)) {
          asset(path.substring(ASSETS.length()), request, response, callback);
        } else {
          file(Files.ALL.index(), "no-cache", request, response, callback);
        }
      }
    }
    return true;
  }

  private static void harden(Response response) {
    HttpFields.Mutable headers = response.getHeaders();
    headers.put("Content-Security-Policy", POLICY);
    headers.put("Referrer-Policy", "no-referrer");
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put("Cross-Origin-Opener-Policy", "same-origin");
    headers.put("Cross-Origin-Resource-Policy", "same-origin");
    headers.put("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
  }

  private void asset(String path, Request request, Response response, Callback callback) {
    int slash = path.indexOf('/');
    boolean current = slash > 0 && path.substring(0, slash).equals(Files.ALL.version());
    Optional<PageFiles.PageFile> found = Files.ALL.find(path.substring(slash + 1));
    if (current && found.isPresent()) {
      file(found.get(), "public, max-age=31536000, immutable", request, response, callback);
    } else {
      send(response, callback, 404, problem(404, "The page changed: load it again"));
    }
  }

  private static void file(
      PageFiles.PageFile file,
      String caching,
      Request request,
      Response response,
      Callback callback) {
    String accepted = request.getHeaders().get(HttpHeader.ACCEPT_ENCODING);
    boolean compressed = accepted != null && accepted.contains("gzip");
    HttpFields.Mutable headers = response.getHeaders();
    if (compressed) {
      headers.put(HttpHeader.CONTENT_ENCODING, "gzip");
    }
    headers.put(HttpHeader.VARY, "Accept-Encoding");
    headers.put(HttpHeader.CONTENT_TYPE, file.type());
    headers.put(HttpHeader.CACHE_CONTROL, caching);
    write(response, callback, 200, compressed ? file.compressed() : file.content());
  }

  private void session(Request request, Response response, Callback callback) throws IOException {
    String method = request.getMethod();
    if (!method.equals("GET") && CrossSite.isForeign(request)) {
      send(response, callback, 403, problem(403, "Sign in and out on the broker's own page"));
      return;
    }
    switch (method) {
      case "GET" -> whoAmI(request, response, callback);
      case "POST" -> signIn(request, response, callback);
      case "DELETE" -> {
        sessions.close(request);
        cookie(response, "", request.isSecure());
        send(response, callback, 200, Map.of("signed_in", false));
      }
      default -> send(response, callback, 405, problem(405, "Use GET, POST or DELETE"));
    }
  }

  private void whoAmI(Request request, Response response, Callback callback) {
    var answer = new LinkedHashMap<String, Object>();
    Optional<PageAccess.Identity> caller = access.caller(request);
    answer.put("signed_in", caller.isPresent());
    answer.put("tokens", facts.tokens());
    answer.put("read_only", facts.readOnly());
    caller.ifPresent(identity -> {
      answer.put("name", identity.name());
      answer.put("role", identity.role());
    });
    sessions
        .of(request)
        .filter(_ -> caller.isPresent())
        .ifPresent(session -> answer.put("cross_site_token", session.crossSite()));
    send(response, callback, 200, answer);
  }

  private void signIn(Request request, Response response, Callback callback) throws IOException {
    Optional<String> token = token(request);
    Optional<PageAccess.Identity> owner =
        token.flatMap(text -> access.bearer(text, Request.getRemoteAddr(request)));
    if (token.isEmpty() || owner.isEmpty()) {
      send(response, callback, 401, problem(401, "The token is unknown: see admin.tokens"));
      return;
    }
    cookie(response, sessions.open(token.get()), request.isSecure());
    send(response, callback, 200, Map.of("signed_in", true));
  }

  private Optional<String> token(Request request) throws IOException {
    try (InputStream in = Content.Source.asInputStream(request)) {
      byte[] body = in.readNBytes(MAX_BODY + 1);
      if (body.length > MAX_BODY) {
        return Optional.empty();
      }
      @Nullable JsonNode tree = json.readTree(body);
      return tree == null
          ? Optional.empty()
          : Optional.of(tree.path("token").asString("").strip()).filter(it -> !it.isEmpty());
    } catch (JacksonException _) {
      return Optional.empty();
    }
  }

  private static void cookie(Response response, String key, boolean secure) {
    Response.putCookie(response, Sessions.cookie(key, secure));
  }

  private void events(Request request, Response response, Callback callback)
      throws IOException, InterruptedException {
    if (access.caller(request).isEmpty()) {
      send(response, callback, 401, problem(401, "Sign in first"));
    } else if (!feed.reserve()) {
      response.getHeaders().put(HttpHeader.RETRY_AFTER, "5");
      send(
          response,
          callback,
          503,
          problem(503, LiveFeed.MAX_STREAMS + " pages look at live figures already"));
    } else {
      response.setStatus(200);
      response.getHeaders().put(new HttpField(HttpHeader.CONTENT_TYPE, "text/event-stream"));
      response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
      try (OutputStream out = Content.Sink.asOutputStream(response)) {
        feed.write(out);
      } catch (IOException _) {
        callback.succeeded(); // the browser is gone
        return;
      }
      callback.succeeded();
    }
  }

  private static Map<String, Object> problem(int status, String detail) {
    return Map.of("type", "about:blank", "title", "Refused", "status", status, "detail", detail);
  }

  private void send(Response response, Callback callback, int status, Object body) {
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    write(response, callback, status, json.writeValueAsBytes(body));
  }

  private static void write(Response response, Callback callback, int status, byte[] body) {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
  }
}
