package io.taskbroker.store.postgres;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.postgresql.PGProperty;
import org.postgresql.ssl.DefaultJavaSSLFactory;

/// Translation of configured connection parameters (`store.pg.query_params`), by the names of libpq
/// or of the reference, to those of the driver.
///
/// Parameters that neither the driver nor libpq knows are ignored, as in the reference. Parameters
/// that secure a connection are applied or refused, never ignored.
final class QueryParameters {
  /// Driver names of libpq parameters, and libpq names of the reference. Parameters that are not
  /// listed have the same name everywhere.
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("application_name", PGProperty.APPLICATION_NAME.getName()),
          Map.entry("channel_binding", PGProperty.CHANNEL_BINDING.getName()),
          Map.entry("connect_timeout", PGProperty.CONNECT_TIMEOUT.getName()),
          Map.entry("gssencmode", PGProperty.GSS_ENC_MODE.getName()),
          Map.entry("require_auth", PGProperty.REQUIRE_AUTH.getName()),
          Map.entry("sslnegotiation", PGProperty.SSL_NEGOTIATION.getName()),
          Map.entry("target_session_attrs", PGProperty.TARGET_SERVER_TYPE.getName()),
          Map.entry("ssl-mode", "sslmode"),
          Map.entry("ssl-root-cert", "sslrootcert"),
          Map.entry("ssl-ca", "sslrootcert"),
          Map.entry("ssl-cert", "sslcert"),
          Map.entry("ssl-key", "sslkey"));

  private static final Map<String, String> SERVER_TYPES =
      Map.of(
          "read-write", "primary",
          "read-only", "secondary",
          "standby", "secondary",
          "prefer-standby", "preferSecondary");

  private static final Set<String> MODES =
      Set.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");

  private QueryParameters() {}

  /// @param text `k=v&k2=v2`, percent-encoded
  /// @throws StoreException of kind `FATAL` if a security parameter is unknown or cannot be applied
  static Properties of(String text) {
    Properties properties = new Properties();
    for (String pair : text.split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        String given = decoded(pair.substring(0, equals));
        String value = decoded(pair.substring(equals + 1));
        String name = NAMES.getOrDefault(given, given);
        check(given, name);
        boolean ofServer = name.equals(PGProperty.TARGET_SERVER_TYPE.getName());
        properties.setProperty(name, ofServer ? SERVER_TYPES.getOrDefault(value, value) : value);
      }
    }
    applyTls(properties);
    return properties;
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException _) {
      throw refused("'" + text + "' has a % that starts no escape such as %20");
    }
  }

  private static void check(String given, String name) {
    if (name.equals("password") || name.equals("sslpassword")) {
      throw refused("'" + given + "' is a secret and does not belong here");
    }
    if (name.startsWith("ssl") && PGProperty.forName(name) == null) {
      throw refused("there is no '" + given + "' parameter");
    }
  }

  /// TLS semantics of libpq that the driver lacks.
  private static void applyTls(Properties properties) {
    String mode = properties.getProperty("sslmode");
    if (mode != null && !MODES.contains(mode)) {
      throw refused("there is no sslmode '" + mode + "'");
    }
    String root = properties.getProperty("sslrootcert");
    if ("system".equals(root)) {
      properties.remove("sslrootcert");
      properties.setProperty("sslmode", "verify-full");
      PGProperty.SSL_FACTORY.set(properties, DefaultJavaSSLFactory.class.getName());
    } else if (root != null && "require".equals(mode)) {
      properties.setProperty("sslmode", "verify-ca");
    }
  }

  private static StoreException refused(String why) {
    return new StoreException(Kind.FATAL, "store.pg.query_params cannot be honoured: " + why, null);
  }
}
