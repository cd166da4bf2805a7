package io.taskbroker.activation;

import static io.taskbroker.activation.Status.CLAIMED;
import static io.taskbroker.activation.Status.PROCESSING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class StatusTest {
  @ParameterizedTest
  @EnumSource
  void storedNameMatchesTheReference(Status status) {
    String name = status.name().charAt(0) + status.name().substring(1).toLowerCase(Locale.ROOT);
    assertThat(status.storedName()).isEqualTo(name);
    assertThat(Status.ofStoredName(name)).isEqualTo(status);
  }

  @Test
  void unknownNameIsReported() {
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
