package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Budget used by several loops and the engine concurrently: nothing is lost, and one peer leaves
/// room for others.
@Tag("concurrency")
@Timeout(240)
final class BudgetRaceTest {
  private static final int TURNS = 100;
  private static final int LIMIT = 1_000;

  @Test
  void g7ConcurrentTakesAndReleasesBalance() {
    Race.of(
        1_000,
        Shares::new,
        List.of(
            shares -> turn(shares.one), shares -> turn(shares.one), shares -> turn(shares.other)),
        shares -> {
          assertThat(shares.budget.held()).isZero();
          assertThat(shares.one.hasRoom()).isTrue();
        });
  }

  @Test
  void g8OnePeerGetsHalfAndLeavesRoomToTheNext() {
    var shares = new Shares();
    int taken = 0;
    while (shares.one.hasRoom()) {
      shares.one.take(1);
      taken++;
    }

    assertThat(taken).isEqualTo(LIMIT / 2);
    assertThat(shares.other.hasRoom()).isTrue();
  }

  private static void turn(Budget.Share share) {
    for (int i = 0; i < TURNS; i++) {
      share.take(7);
      share.give(7);
    }
  }

  private static final class Shares {
    private final Budget budget = new Budget(LIMIT);
    private final Budget.Share one = budget.share();
    private final Budget.Share other = budget.share();
  }
}
