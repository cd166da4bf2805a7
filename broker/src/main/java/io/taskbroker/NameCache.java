package io.taskbroker;

import java.security.Security;

/// Cache of host names of the Java platform, which keeps addresses for 30 s and the absence of a
/// name for 10 s: too long for workers that come and go. Set for the whole process, before anything
/// is looked up, unless somebody else set it.
final class NameCache {
  private static final String FOUND = "networkaddress.cache.ttl";
  private static final String ABSENT = "networkaddress.cache.negative.ttl";
  private static final String ABSENT_BY_DEFAULT = "10";

  private NameCache() {}

  /// Keeps addresses for 5 s, and the absence of a name for 1 s.
  static void shorten() {
    if (Security.getProperty(FOUND) == null && System.getProperty("sun.net.inetaddr.ttl") == null) {
      Security.setProperty(FOUND, "5");
    }
    if (ABSENT_BY_DEFAULT.equals(Security.getProperty(ABSENT))) {
      Security.setProperty(ABSENT, "1");
    }
  }
}
