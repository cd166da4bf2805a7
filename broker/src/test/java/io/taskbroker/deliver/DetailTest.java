package io.taskbroker.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import org.junit.jupiter.api.Test;

/// Error detail kept of a worker's response.
final class DetailTest {
  @Test
  void g7DetailIsOneShortLine() {
    String text = "no\u001B[2J\tnever" + "\uD83D\uDE00".repeat(1000) + "\nand more";

    String detail = PushStatusClassifier.detail(Status.INTERNAL.withDescription(text));

    assertThat(detail).startsWith("INTERNAL: no [2J never").hasSizeLessThanOrEqualTo(300);
    assertThat(detail).doesNotContain("and more").doesNotContainPattern("\\p{Cntrl}");
  }
}
