package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class LogIntervalTest {
  private final LogInterval lines = new LogInterval(Duration.ofNanos(100));

  @Test
  void logsTheStateOnceInAnInterval() {
    assertThat(lines.isDue("down", Long.MAX_VALUE - 50)).isTrue();
    assertThat(lines.isDue("down", Long.MAX_VALUE)).isFalse();
    assertThat(lines.isDue("down", Long.MIN_VALUE + 48)).isFalse(); // 99 later: the clock wraps
    assertThat(lines.isDue("down", Long.MIN_VALUE + 49)).isTrue();
    assertThat(lines.isDue("down", Long.MIN_VALUE + 148)).isFalse();
  }

  @Test
  void logsAChangeAtOnce() {
    assertThat(lines.isDue("down", 1)).isTrue();
    assertThat(lines.isDue("refused", 2)).isTrue();
    assertThat(lines.isDue("refused", 3)).isFalse();
    assertThat(lines.isDue("down", 4)).isTrue();
  }

  @Test
  void logsAStateThatBeginsAgain() {
    assertThat(lines.isDue("down", 1)).isTrue();
    lines.over();
    assertThat(lines.isDue("down", 2)).isTrue();
  }
}
