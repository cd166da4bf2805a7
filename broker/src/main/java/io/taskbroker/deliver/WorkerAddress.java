package io.taskbroker.deliver;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Where the workers of an application are.
///
/// @param authority host and port as they were given, which the worker is told
/// @param host a name, or an IP address without brackets
/// @param tls whether they are reached by TLS
record WorkerAddress(String authority, String host, int port, boolean tls) {
  /// Taken apart here, since a [URI] knows no host with an underscore, as Docker names some.
  private static final Pattern AUTHORITY =
      Pattern.compile("(?:\\[([0-9a-fA-F:.]+)]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?");

  /// @throws IllegalArgumentException if the address is none of the form `http://host:port` or
  ///   `https://host:port`
  static WorkerAddress of(String application, URI address) {
    String scheme = address.getScheme() == null ? "" : address.getScheme().toLowerCase(Locale.ROOT);
    String authority = address.getRawAuthority() == null ? "" : address.getRawAuthority();
    Matcher parts = AUTHORITY.matcher(authority);
    boolean tls = scheme.equals("https");
    if (!(tls || scheme.equals("http")) || !parts.matches()) {
      throw new IllegalArgumentException(
          "The worker of application '%s' must be given as http://host:port or https://host:port, but is '%s'"
              .formatted(application, address));
    }
    @Nullable String literal = parts.group(1);
    @Nullable String port = parts.group(3);
    return new WorkerAddress(
        authority,
        literal == null ? parts.group(2) : literal,
        port == null ? (tls ? 443 : 80) : Integer.parseInt(port),
        tls);
  }
}
