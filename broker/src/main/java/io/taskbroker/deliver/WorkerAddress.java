package io.taskbroker.deliver;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Worker address of an application.
///
/// @param authority host and port as configured, sent to the worker
/// @param host name, or IP address without brackets
/// @param tls whether the worker uses TLS
record WorkerAddress(String authority, String host, int port, boolean tls) {
  /// Host and port pattern: [URI] rejects hosts with an underscore, which Docker generates.
  private static final Pattern AUTHORITY =
      Pattern.compile("(?:\\[([0-9a-fA-F:.]+)]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?");

  /// @throws IllegalArgumentException if the address is not `http://host:port` or
  ///   `https://host:port`
  static WorkerAddress of(String application, URI address) {
    String scheme = address.getScheme() == null ? "" : address.getScheme().toLowerCase(Locale.ROOT);
    String authority = address.getRawAuthority() == null ? "" : address.getRawAuthority();
    Matcher parts = AUTHORITY.matcher(authority);
    boolean tls = scheme.equals("https");
    if (!(tls || scheme.equals("http")) || !parts.matches()) {
      throw new IllegalArgumentException(
          "The worker of application '%s' must be http://host:port or https://host:port, but is '%s'"
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
