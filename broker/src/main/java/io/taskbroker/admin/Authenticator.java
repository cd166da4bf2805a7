package io.taskbroker.admin;

import io.taskbroker.admin.web.Sessions;
import io.taskbroker.config.AdminConfig;
import io.taskbroker.config.AdminConfig.Role;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;

/// Authentication of a request: by bearer token, then by the session of the web page, then by the
/// header of a trusted proxy, then by client certificate. If none of them is configured, only
/// loopback is bound, and every caller there may do everything. Thread-safe.
final class Authenticator {
  private static final Pattern LOCAL_HOST =
      Pattern.compile("(localhost|127\\.[0-9.]+|\\[::1])(:[0-9]+)?", Pattern.CASE_INSENSITIVE);
  private static final int LONGEST_NAME = 200;
  private static final String BEARER = "bearer ";
  private static final String CROSS_SITE_HEADER = "X-Taskbroker-Session";

  private final AdminConfig config;
  private final Optional<TokenFile> tokens;
  private final Sessions sessions;

  /// @throws IllegalArgumentException if the file of tokens is invalid
  Authenticator(AdminConfig config, Sessions sessions) {
    this.config = config;
    this.sessions = sessions;
    this.tokens = config.tokens().map(TokenFile::new);
  }

  /// The caller of a request.
  ///
  /// @throws ApiProblem 401 if there is none; 403 if it has no role
  Caller caller(Request request) {
    String address = Request.getRemoteAddr(request);
    if (!config.authenticates()) {
      requireLocalHost(request);
      return new Caller("local", Role.ADMIN, address);
    }
    String authorization = request.getHeaders().get(HttpHeader.AUTHORIZATION);
    if (authorization != null && tokens.isPresent()) {
      boolean bearer = authorization.toLowerCase(Locale.ROOT).startsWith(BEARER);
      return tokens
          .filter(_ -> bearer)
          .flatMap(file -> file.find(authorization.substring(BEARER.length()).strip(), address))
          .orElseThrow(() -> unauthenticated("The bearer token is unknown"));
    }
    Optional<Caller> browser = ofSession(request, address);
    if (browser.isPresent()) {
      return browser.get();
    }
    Optional<String> name = ofProxy(request).or(() -> ofCertificate(request));
    return new Caller(
        name.orElseThrow(() -> unauthenticated("No bearer token was sent")),
        role(name.get()),
        address);
  }

  /// The owner of a bearer token.
  Optional<Caller> bearer(String token, String address) {
    return tokens.flatMap(file -> file.find(token, address));
  }

  /// A browser sends its cookie by itself: a write must come with the text that only the page
  /// knows.
  private Optional<Caller> ofSession(Request request, String address) {
    Optional<Sessions.Session> session = tokens.flatMap(_ -> sessions.of(request));
    boolean reads = HttpMethod.GET.is(request.getMethod());
    String sent = request.getHeaders().get(CROSS_SITE_HEADER);
    return session
        .filter(open -> reads || open.crossSite().equals(sent))
        .flatMap(open -> bearer(open.token(), address));
  }

  /// A web page that makes a browser call loopback under another name is refused (DNS rebinding).
  private static void requireLocalHost(Request request) {
    String host = request.getHeaders().get(HttpHeader.HOST);
    if (host != null && !LOCAL_HOST.matcher(host).matches()) {
      throw new ApiProblem(
          403,
          "Forbidden",
          "Without authentication the API is called by a loopback name only, not " + shown(host));
    }
  }

  private Optional<String> ofProxy(Request request) {
    boolean trusted =
        request.getConnectionMetaData().getRemoteSocketAddress() instanceof InetSocketAddress peer
            && isProxy(peer.getAddress());
    List<String> sent = request.getHeaders().getValuesList(config.identityHeader());
    if (trusted && sent.size() > 1) {
      // A proxy that adds its header to that of a client would let the client choose.
      throw unauthenticated("There are several headers " + config.identityHeader());
    }
    return sent.stream()
        .findFirst()
        .filter(name -> trusted && !name.isBlank() && name.length() <= LONGEST_NAME);
  }

  private boolean isProxy(InetAddress peer) {
    return config.proxies().contains(peer);
  }

  private static Optional<String> ofCertificate(Request request) {
    Object data = request.getAttribute(EndPoint.SslSessionData.ATTRIBUTE);
    if (data instanceof EndPoint.SslSessionData session
        && session.peerCertificates() != null
        && session.peerCertificates().length > 0) {
      X509Certificate own = session.peerCertificates()[0];
      return commonName(own.getSubjectX500Principal().getName());
    }
    return Optional.empty();
  }

  /// The most specific common name of a subject. Values of other attributes may look like one, so
  /// the name is parsed.
  ///
  /// @param subject in the form of RFC 2253
  static Optional<String> commonName(String subject) {
    try {
      for (Rdn part : new LdapName(subject).getRdns().reversed()) {
        Attribute name = part.toAttributes().get("CN");
        if (name != null && name.get() instanceof String text) {
          return Optional.of(text);
        }
      }
    } catch (NamingException _) {
      // It has none that can be read.
    }
    return Optional.empty();
  }

  private Role role(String name) {
    Map<String, Role> roles = config.roles();
    Role role = roles.getOrDefault(name, roles.get("*"));
    if (role == null) {
      throw new ApiProblem(
          403, "Forbidden", shown(name) + " has no role: add it to admin.roles of the broker");
    }
    return role;
  }

  private static ApiProblem unauthenticated(String why) {
    return new ApiProblem(
        401, "Not authenticated", why + ": send Authorization: Bearer TOKEN (admin.tokens)");
  }

  private static String shown(String text) {
    String clean = text.replaceAll("\\p{Cc}", "?");
    return clean.length() > 80 ? clean.substring(0, 80) + "…" : clean;
  }
}
