package io.taskbroker.admin.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.server.Request;

/// Sessions of browsers that signed in with a bearer token: at most [#MAX], the least recently used
/// ends first. A session ends after [#LONGEST], after [#IDLE] without a request, or with its token,
/// which is looked up at each request. Kept in memory: a restart ends all. Thread-safe: one lock.
public final class Sessions {
  static final int MAX = 500;
  static final Duration LONGEST = Duration.ofHours(12);
  static final Duration IDLE = Duration.ofHours(1);
  private static final String NAME = "taskbroker-session";

  /// With TLS, a prefix that browsers accept from this host and over TLS only.
  private static final String SECURE_NAME = "__Host-" + NAME;

  private static final int KEY_BYTES = 32;

  private final InstantSource clock;
  private final SecureRandom random = new SecureRandom();
  private final Map<String, Session> byHash = new HashMap<>();

  public Sessions(InstantSource clock) {
    this.clock = clock;
  }

  /// A session. Its text form shows no secret.
  ///
  /// @param token the bearer token that the user signed in with
  /// @param crossSite text that each write must send along, since a cookie is sent by itself
  public record Session(String token, String crossSite, long since, long usedAt) {
    private Session used(long now) {
      return new Session(token, crossSite, since, now);
    }

    @Override
    public String toString() {
      return "Session[since=" + since + "]";
    }
  }

  /// Opens a session; returns the cookie's value.
  synchronized String open(String token) {
    long now = clock.millis();
    removeEnded(now);
    if (byHash.size() >= MAX) {
      byHash.entrySet().stream()
          .min(Comparator.comparingLong(entry -> entry.getValue().usedAt()))
          .map(Map.Entry::getKey)
          .ifPresent(byHash::remove);
    }
    String key = secret();
    byHash.put(hash(key), new Session(token, secret(), now, now));
    return key;
  }

  /// The session of a request's cookie.
  public Optional<Session> of(Request request) {
    return key(request).flatMap(this::find);
  }

  synchronized Optional<Session> find(String key) {
    long now = clock.millis();
    removeEnded(now);
    return Optional.ofNullable(
        byHash.computeIfPresent(hash(key), (_, session) -> session.used(now)));
  }

  void close(Request request) {
    key(request).ifPresent(this::close);
  }

  synchronized void close(String key) {
    byHash.remove(hash(key));
  }

  synchronized int size() {
    return byHash.size();
  }

  private void removeEnded(long now) {
    byHash
        .values()
        .removeIf(session ->
            now - session.since() >= LONGEST.toMillis()
                || now - session.usedAt() >= IDLE.toMillis());
  }

  private static Optional<String> key(Request request) {
    String name = name(request.isSecure());
    return Request.getCookies(request).stream()
        .filter(cookie -> cookie.getName().equals(name))
        .map(HttpCookie::getValue)
        .findFirst();
  }

  /// Cookie that browsers keep from scripts and other sites, and end with the session.
  static HttpCookie cookie(String key, boolean secure) {
    return HttpCookie.build(name(secure), key)
        .path("/")
        .httpOnly(true)
        .secure(secure)
        .sameSite(HttpCookie.SameSite.STRICT)
        .maxAge(key.isEmpty() ? 0 : LONGEST.toSeconds())
        .build();
  }

  private static String name(boolean secure) {
    return secure ? SECURE_NAME : NAME;
  }

  private String secret() {
    byte[] bytes = new byte[KEY_BYTES];
    random.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static String hash(String key) {
    try {
      return Base64.getEncoder()
          .encodeToString(MessageDigest.getInstance("SHA-256").digest(key.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
