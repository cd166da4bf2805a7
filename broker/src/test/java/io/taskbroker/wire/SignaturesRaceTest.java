package io.taskbroker.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Concurrent signing and verification, with independent results per thread.
@Tag("concurrency")
@Timeout(240)
final class SignaturesRaceTest {
  @Test
  void threadsAreIndependent() {
    var signer = new Signatures(List.of("first", "second")).forPath("/service/method");
    byte[] message = new byte[10_000];
    String signature = signer.sign(message);
    Race.of(
        500,
        () -> signer,
        Collections.nCopies(
            3,
            shared -> {
              assertThat(shared.sign(message)).isEqualTo(signature);
              assertThat(shared.accepts(message, signature)).isTrue();
            }),
        _ -> {});
  }
}
