package io.taskbroker.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Admin API.
///
/// @param address unresolved listen address; empty for no API
/// @param tokens file of bearer tokens
/// @param tls plaintext without a certificate; clients need a certificate if there is a CA
/// @param proxies addresses whose `identityHeader` is believed
/// @param roles roles of users and of certificates' common names; `*` for all others
/// @param auditFile empty for the default beside the SQLite store
/// @param redact parts of the names of values that are not shown
/// @param readOnly whether every write is refused
public record AdminConfig(
    Optional<InetSocketAddress> address,
    Optional<Path> tokens,
    TlsConfig tls,
    List<InetAddress> proxies,
    String identityHeader,
    Map<String, Role> roles,
    Optional<Path> auditFile,
    List<String> redact,
    int requestsPerSecond,
    boolean readOnly) {

  /// Role of a caller; each includes those before it.
  public enum Role {
    /// See everything but redacted values.
    READ,
    /// Act on tasks, pause and resume.
    OPERATE,
    /// Drain the broker, set log levels.
    ADMIN
  }

  /// Whether callers are authenticated.
  public boolean authenticates() {
    return tokens.isPresent() || tls.ca().isPresent() || !proxies.isEmpty();
  }

  static AdminConfig read(Values values) {
    var config =
        new AdminConfig(
            values.get(AdminKeys.ADDR),
            values.get(AdminKeys.TOKENS),
            TlsConfig.admin(values),
            values.get(AdminKeys.PROXIES),
            values.get(AdminKeys.IDENTITY_HEADER),
            values.get(AdminKeys.ROLES),
            values.get(AdminKeys.AUDIT_FILE),
            values.get(AdminKeys.REDACT),
            values.get(AdminKeys.REQUESTS_PER_SECOND),
            values.get(AdminKeys.READ_ONLY));
    config
        .address()
        .filter(address -> !config.authenticates() && !isLoopback(address.getHostString()))
        .ifPresent(address ->
            values
                .problems()
                .add(
                    AdminKeys.ADDR.path(),
                    address.getHostString() + ":" + address.getPort(),
                    "must be a loopback address such as 127.0.0.1:9470, since none of"
                        + " admin.tokens, admin.tls_client_ca and admin.trusted_proxies is set"));
    return config;
  }

  private static boolean isLoopback(String host) {
    if (host.equals("localhost")) {
      return true;
    }
    String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    try {
      return InetAddress.ofLiteral(bare).isLoopbackAddress();
    } catch (IllegalArgumentException _) {
      return false;
    }
  }
}
