package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class OutageTest {
  @Test
  void logsTheFirstFailureThenPeriodically() {
    ManualTicker ticker = new ManualTicker();
    Outage outage = new Outage(ticker);
    assertThat(outage.failed()).isTrue();
    ticker.advance(Duration.ofSeconds(9));
    assertThat(outage.failed()).isFalse();
    ticker.advance(Duration.ofSeconds(1));
    assertThat(outage.failed()).isTrue();
    assertThat(outage.failed()).isFalse();
    assertThat(outage.failures()).isEqualTo(4);
    assertThat(outage.millis()).isEqualTo(10_000);
    outage.over();
    assertThat(outage.failures()).isZero();
    assertThat(outage.millis()).isZero();
    assertThat(outage.failed()).isTrue();
  }
}
