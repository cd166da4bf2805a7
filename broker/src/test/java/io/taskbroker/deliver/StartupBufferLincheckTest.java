package io.taskbroker.deliver;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.Delivery;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Pushes concurrent with the start, or with a stop before the start, are passed on exactly once
/// (H9).
@Tag("concurrency")
@Timeout(300)
final class StartupBufferLincheckTest {
  @Test
  void h09ConcurrentDeliveriesArePassedOnOnce() {
    Interleavings.of(() -> {
      var buffer = shared(new StartupBuffer());
      var through = shared(new Through());
      Actor engine =
          start(() -> {
            buffer.accept(delivery("a"));
            buffer.accept(delivery("b"));
          });
      buffer.open(delivery -> through.add(delivery.id()));
      join(engine);
      check(through.has("a", "b"), through.ids);
    });
  }

  private static Delivery delivery(String id) {
    return Deliveries.of(id, "app", new byte[1]);
  }

  private static final class Through {
    private final List<String> ids = new ArrayList<>();

    private synchronized void add(String id) {
      ids.add(id);
    }

    private synchronized boolean has(String... all) {
      return ids.size() == all.length && ids.containsAll(List.of(all));
    }
  }
}
