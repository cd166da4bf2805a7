package io.taskbroker.deliver;

import io.taskbroker.inflight.api.Delivery;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Buffer for deliveries until their receiver is known; then passes all of them on, each once (H9).
/// Thread-safe; callers wait only while the buffer is drained.
final class StartupBuffer {
  private volatile @Nullable Consumer<Delivery> receiver; // written under the lock of this

  /// Buffered deliveries, as a linked list of our own, since the model checker does not look into
  /// JDK collections. Guarded by this.
  private @Nullable Node first;

  private @Nullable Node last;

  void accept(Delivery delivery) {
    Consumer<Delivery> open = receiver;
    if (open == null) {
      open = buffer(delivery);
    }
    if (open != null) {
      open.accept(delivery);
    }
  }

  private synchronized @Nullable Consumer<Delivery> buffer(Delivery delivery) {
    Consumer<Delivery> open = receiver;
    if (open == null) {
      var node = new Node(delivery);
      if (last == null) {
        first = node;
      } else {
        last.next = node;
      }
      last = node;
    }
    return open;
  }

  /// Sets the receiver, beginning with the buffered deliveries.
  synchronized void open(Consumer<Delivery> to) {
    receiver = to;
    for (Node node = first; node != null; node = node.next) {
      to.accept(node.delivery);
    }
    first = null;
    last = null;
  }

  private static final class Node {
    private final Delivery delivery;
    private @Nullable Node next;

    Node(Delivery delivery) {
      this.delivery = delivery;
    }
  }
}
