package io.taskbroker.activation;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import java.util.Collections;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Concurrent derivation of ids: each thread gets its own result (G4).
@Tag("concurrency")
@Timeout(240)
final class IdsRaceTest {
  @Test
  void g4ConcurrentDerivationsDoNotInterfere() {
    String id = "x".repeat(10_000);
    String retry = Ids.retry(id, 1);
    Ids.Fingerprint fingerprint = Ids.fingerprint(id);
    Race.of(
        500,
        () -> id,
        Collections.nCopies(
            3,
            shared -> {
              assertThat(Ids.retry(shared, 1)).isEqualTo(retry);
              assertThat(Ids.fingerprint(shared)).isEqualTo(fingerprint);
            }),
        _ -> {});
  }
}
