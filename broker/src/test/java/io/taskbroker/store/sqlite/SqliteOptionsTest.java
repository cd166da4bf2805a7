package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Limit of inserts.
final class SqliteOptionsTest {
  @ParameterizedTest
  @CsvSource({
    "0, 9223372036854775807",
    "800, 900",
    "8198552921648689607, 9223372036854775807",
    "9223372036854775807, 9223372036854775807"
  })
  void insertLimitIsAnEighthAboveMaxSize(long maxBytes, long limit) {
    assertThat(new SqliteOptions(Path.of("store"), maxBytes).insertLimit()).isEqualTo(limit);
  }
}
