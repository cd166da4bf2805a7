package io.taskbroker.admin.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.eclipse.jetty.http.HttpCookie;
import org.junit.jupiter.api.Test;

/// Sessions end in time, are bounded in number, and their cookies are kept from scripts and sites.
final class SessionsTest {
  private Instant now = Instant.EPOCH;
  private final Sessions sessions = new Sessions(() -> now);

  @Test
  void aSessionEndsWithoutUse() {
    String key = sessions.open("t");
    now = now.plus(Sessions.IDLE.minusMillis(1));
    assertThat(sessions.find(key)).isPresent();
    now = now.plus(Sessions.IDLE);
    assertThat(sessions.find(key)).isEmpty();
  }

  @Test
  void aSessionEndsAfterItsTimeAlthoughItIsUsed() {
    String key = sessions.open("t");
    for (Duration used = Duration.ZERO;
        used.compareTo(Sessions.LONGEST) < 0;
        used = used.plusMinutes(30)) {
      assertThat(sessions.find(key)).isPresent();
      now = now.plus(Duration.ofMinutes(30));
    }
    assertThat(sessions.find(key)).isEmpty();
    assertThat(sessions.size()).isZero();
  }

  @Test
  void g7TheLeastRecentlyUsedOfTooManyEnds() {
    String first = sessions.open("first");
    now = now.plusMillis(1);
    String second = sessions.open("second");
    now = now.plusMillis(1);
    for (int i = 2; i < Sessions.MAX; i++) {
      String _ = sessions.open("t" + i);
    }
    now = now.plusMillis(1);
    assertThat(sessions.find(first)).isPresent();
    String _ = sessions.open("one more");
    assertThat(sessions.size()).isEqualTo(Sessions.MAX);
    assertThat(sessions.find(first)).isPresent();
    assertThat(sessions.find(second)).isEmpty();
  }

  @Test
  void signingOutEndsIt() {
    String key = sessions.open("t");
    sessions.close(key);
    assertThat(sessions.find(key)).isEmpty();
  }

  @Test
  void cookiesAreHardened() {
    HttpCookie plain = Sessions.cookie("k", false);
    assertThat(plain.isHttpOnly()).isTrue();
    assertThat(plain.getSameSite()).isEqualTo(HttpCookie.SameSite.STRICT);
    assertThat(plain.isSecure()).isFalse();

    HttpCookie secure = Sessions.cookie("k", true);
    assertThat(secure.getName()).startsWith("__Host-");
    assertThat(secure.isSecure()).isTrue();
    assertThat(secure.getPath()).isEqualTo("/");
  }

  @Test
  void noSecretIsShown() {
    String key = sessions.open("a-secret-token");
    assertThat(sessions.find(key).orElseThrow().toString()).doesNotContain("secret");
  }
}
