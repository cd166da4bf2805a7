package io.taskbroker;

import java.security.Security;

/// JVM-wide DNS cache settings. Java caches addresses for 30 s and unknown names for 10 s: too long
/// for workers that come and go. Applied to the whole process before the first lookup, unless
/// already configured.
final class NameCache {
  private static final String FOUND = "networkaddress.cache.ttl";
  private static final String ABSENT = "networkaddress.cache.negative.ttl";
  private static final String ABSENT_BY_DEFAULT = "10";

  private NameCache() {}

  /// Caches addresses for 5 s and unknown names for 1 s.
  static void shorten() {
    if (Security.getProperty(FOUND) == null && System.getProperty("sun.net.inetaddr.ttl") == null) {
      Security.setProperty(FOUND, "5");
    }
    if (ABSENT_BY_DEFAULT.equals(Security.getProperty(ABSENT))) {
      Security.setProperty(ABSENT, "1");
    }
  }
}
