package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.Security;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Name resolution is cached briefly, unless configured otherwise.
final class NameCacheTest {
  private static final String FOUND = "networkaddress.cache.ttl";
  private static final String ABSENT = "networkaddress.cache.negative.ttl";

  private final String found = Objects.requireNonNullElse(Security.getProperty(FOUND), "30");
  private final String absent = Objects.requireNonNullElse(Security.getProperty(ABSENT), "10");

  @AfterEach
  void putBack() {
    Security.setProperty(FOUND, found);
    Security.setProperty(ABSENT, absent);
  }

  @Test
  void failedLookupsExpireAfterASecond() {
    Security.setProperty(ABSENT, "10");
    NameCache.shorten();
    assertThat(Security.getProperty(ABSENT)).isEqualTo("1");
  }

  @Test
  void configuredValuesAreKept() {
    Security.setProperty(FOUND, "60");
    Security.setProperty(ABSENT, "7");
    NameCache.shorten();
    assertThat(Security.getProperty(FOUND)).isEqualTo("60");
    assertThat(Security.getProperty(ABSENT)).isEqualTo("7");
  }
}
