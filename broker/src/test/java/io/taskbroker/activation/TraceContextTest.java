package io.taskbroker.activation;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.TraceContext.Sampling;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TraceContextTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String SPAN = "00f067aa0ba902b7";

  @Test
  void w3c() {
    String parent = "00-" + TRACE + "-" + SPAN + "-01";
    assertThat(TraceContext.of(parent, "vendor=1"))
        .isEqualTo(new TraceContext(TRACE, SPAN, Sampling.SAMPLED, "vendor=1"));
    assertThat(TraceContext.of("00-" + TRACE + "-" + SPAN + "-02", ""))
        .isEqualTo(new TraceContext(TRACE, SPAN, Sampling.NOT_SAMPLED, ""));
    assertThat(TraceContext.of("42-" + TRACE + "-" + SPAN + "-01-later", ""))
        .isEqualTo(new TraceContext(TRACE, SPAN, Sampling.SAMPLED, ""));
    assertThat(TraceContext.of(parent, "x".repeat(513)))
        .isEqualTo(new TraceContext(TRACE, SPAN, Sampling.SAMPLED, ""));
    assertThat(new TraceContext(TRACE, SPAN, Sampling.SAMPLED, "").parent()).isEqualTo(parent);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"
      })
  void malformed(String parent) {
    assertThat(TraceContext.of(parent, "")).isNull();
    assertThat(TraceContext.ofSentry(parent)).isNull();
  }

  @Test
  void sentry() {
    assertThat(TraceContext.ofSentry(TRACE + "-" + SPAN + "-1"))
        .isEqualTo(new TraceContext(TRACE, SPAN, Sampling.SAMPLED, ""));
    assertThat(TraceContext.ofSentry(TRACE + "-" + SPAN + "-0"))
        .isEqualTo(new TraceContext(TRACE, SPAN, Sampling.NOT_SAMPLED, ""));
    assertThat(TraceContext.ofSentry(TRACE + "-" + SPAN))
        .isEqualTo(new TraceContext(TRACE, SPAN, Sampling.OPEN, ""));
  }
}
