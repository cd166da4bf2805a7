package io.taskbroker.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.taskbroker.store.ScheduleStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreQuery;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Kinds of store failures, as callers of the schedule service see them.
final class StoreAccessTest {
  /// Postgres cannot hold U+0000: to try again, as UNAVAILABLE says, would be useless.
  @ParameterizedTest
  @CsvSource({"DATA, INVALID", "FULL, FULL", "TRANSIENT, UNAVAILABLE", "FATAL, UNAVAILABLE"})
  void failuresOfTheStoreHaveAKind(StoreException.Kind failure, ScheduleException.Kind expected) {
    var access =
        new StoreAccess(
            query ->
                ((StoreQuery.Schedules<?>) query)
                    .answer()
                    .completeExceptionally(new StoreException(failure, "as the test says", null)),
            Waits.BLOCKING);
    var thrown =
        catchThrowableOfType(ScheduleException.class, () -> access.on(ScheduleStore::count));
    assertThat(thrown.kind()).isEqualTo(expected);
  }
}
