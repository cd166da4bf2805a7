package io.taskbroker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Numbers that a browser would change make arguments read-only on the page.
final class BrowserNumbersTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\": [1, -2, {\"b\": 0.1}], \"c\": \"12345678901234567890\", \"d\": null}",
        "[9007199254740991, -9007199254740991, true]",
        "{}"
      })
  void theseSurvive(String json) {
    assertThat(BrowserNumbers.survive(ApiJson.mapper().readTree(json))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[9007199254740992]",
        "{\"a\": {\"b\": [-9007199254740993]}}",
        "[12345678901234567890]",
        "[-9223372036854775808]",
        "[1.0]",
        "[1e400]"
      })
  void theseDoNot(String json) {
    assertThat(BrowserNumbers.survive(ApiJson.mapper().readTree(json))).isFalse();
  }
}
