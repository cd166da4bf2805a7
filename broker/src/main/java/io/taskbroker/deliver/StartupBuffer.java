package io.taskbroker.deliver;

import io.taskbroker.inflight.Delivery;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Where deliveries go: they are kept until that is known, then all go there, each once (H9).
/// Thread-safe; nobody waits but while what was kept is handed on.
final class StartupBuffer {
  private volatile @Nullable Consumer<Delivery> way; // written under the lock of this

  /// What is kept, as a list of our own, since the model checker does not look into those of the
  /// JDK. Guarded by this.
  private @Nullable Kept first;

  private @Nullable Kept last;

  void pass(Delivery delivery) {
    Consumer<Delivery> open = way;
    if (open == null) {
      open = keep(delivery);
    }
    if (open != null) {
      open.accept(delivery);
    }
  }

  private synchronized @Nullable Consumer<Delivery> keep(Delivery delivery) {
    Consumer<Delivery> open = way;
    if (open == null) {
      var kept = new Kept(delivery);
      if (last == null) {
        first = kept;
      } else {
        last.next = kept;
      }
      last = kept;
    }
    return open;
  }

  /// From now on deliveries go this way, beginning with those that were kept.
  synchronized void open(Consumer<Delivery> to) {
    way = to;
    for (Kept kept = first; kept != null; kept = kept.next) {
      to.accept(kept.delivery);
    }
    first = null;
    last = null;
  }

  private static final class Kept {
    private final Delivery delivery;
    private @Nullable Kept next;

    Kept(Delivery delivery) {
      this.delivery = delivery;
    }
  }
}
