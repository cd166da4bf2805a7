package io.taskbroker.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.store.RuleHistory.Version;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/// History of rules, of any store.
public abstract class RuleHistoryContract {
  private static final Instant AT = Instant.ofEpochMilli(1_700_000_000_123L);

  /// Another view of the same history.
  protected abstract RuleHistory open() throws Exception;

  private static Version version(long number) {
    return new Version(number, AT, "ann", "bad deploy\n\"quoted\"", "# ü\nrules: " + number);
  }

  @Test
  void versionsFollowEachOtherAndLastOverARestart() throws Exception {
    RuleHistory history = open();
    assertThat(history.latest()).isEmpty();
    assertThat(history.versions()).isEmpty();
    assertThat(history.append(version(2))).isFalse();
    assertThat(history.append(version(1))).isTrue();
    assertThat(history.append(version(1))).isFalse();
    assertThat(history.append(version(3))).isFalse();
    assertThat(history.append(version(2))).isTrue();
    for (RuleHistory each : List.of(history, open())) {
      assertThat(each.latest()).contains(version(2));
      assertThat(each.versions()).containsExactly(version(2), version(1));
    }
  }

  @Test
  void g7ABoundedNumberIsKept() throws Exception {
    RuleHistory history = open();
    for (int number = 1; number <= RuleHistory.KEPT + 3; number++) {
      assertThat(history.append(version(number))).isTrue();
    }
    assertThat(history.versions())
        .hasSize(RuleHistory.KEPT)
        .startsWith(version(RuleHistory.KEPT + 3))
        .endsWith(version(4));
    assertThat(open().append(version(RuleHistory.KEPT + 4))).isTrue();
  }

  @Test
  void ofTwoAtOnceOneWins() throws Exception {
    RuleHistory history = open();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int number = 1; number <= 10; number++) {
        Callable<Boolean> append = appending(history, number);
        int added = 0;
        for (Future<Boolean> each : threads.invokeAll(List.of(append, append, append))) {
          added += each.get() ? 1 : 0;
        }
        assertThat(added).isOne();
      }
    }
  }

  private static Callable<Boolean> appending(RuleHistory history, int number) {
    return () -> history.append(version(number));
  }
}
