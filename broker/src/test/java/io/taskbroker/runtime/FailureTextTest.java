package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

final class FailureTextTest {
  @Test
  void isTheMessageOrElseTheClass() {
    assertThat(FailureText.of(new IOException("no route"))).isEqualTo("no route");
    assertThat(FailureText.of(new IOException())).isEqualTo("java.io.IOException");
  }

  @Test
  void ofTheRootIgnoresTheOuterCauses() {
    var failure = new IllegalStateException("outer", new IOException("in between", new Error()));
    assertThat(FailureText.ofRoot(failure)).isEqualTo("java.lang.Error");
    assertThat(FailureText.ofRoot(new IOException("alone"))).isEqualTo("alone");
  }

  @Test
  void fitsInOneLine() {
    assertThat(FailureText.inOneLine(new IOException("a\r\n\tb  c"))).isEqualTo("a b c");
  }
}
