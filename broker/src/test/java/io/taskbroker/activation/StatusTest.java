package io.taskbroker.activation;

import static io.taskbroker.activation.Status.CLAIMED;
import static io.taskbroker.activation.Status.COMPLETE;
import static io.taskbroker.activation.Status.DELAY;
import static io.taskbroker.activation.Status.FAILURE;
import static io.taskbroker.activation.Status.PENDING;
import static io.taskbroker.activation.Status.PROCESSING;
import static io.taskbroker.activation.Status.RETRY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class StatusTest {
  private static final Map<Status, Set<Status>> LEGAL =
      Map.of(
          DELAY, Set.of(PENDING, FAILURE, RETRY, COMPLETE),
          PENDING, Set.of(CLAIMED, PROCESSING, FAILURE, RETRY, COMPLETE),
          CLAIMED, Set.of(PENDING, PROCESSING, FAILURE, RETRY, COMPLETE),
          PROCESSING, Set.of(PENDING, FAILURE, RETRY, COMPLETE),
          RETRY, Set.of(FAILURE, COMPLETE),
          FAILURE, Set.of(COMPLETE),
          COMPLETE, Set.of());

  @ParameterizedTest
  @EnumSource
  void transitionsAreThoseOfTheTable(Status from) {
    for (Status to : Status.values()) {
      assertThat(from.canBecome(to))
          .as(from + " to " + to)
          .isEqualTo(LEGAL.getOrDefault(from, Set.of()).contains(to));
    }
  }

  @ParameterizedTest
  @EnumSource
  void storedNameIsThatOfTheReference(Status status) {
    String name = status.name().charAt(0) + status.name().substring(1).toLowerCase(Locale.ROOT);
    assertThat(status.storedName()).isEqualTo(name);
    assertThat(Status.ofStoredName(name)).isEqualTo(status);
  }

  @Test
  void unknownNameIsSaid() {
    assertThatThrownBy(() -> Status.ofStoredName("pending"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("pending");
  }

  @ParameterizedTest
  @EnumSource
  void onlyClaimedAndProcessingAreHandedOut(Status status) {
    assertThat(status.isHandedOut()).isEqualTo(status == CLAIMED || status == PROCESSING);
  }
}
