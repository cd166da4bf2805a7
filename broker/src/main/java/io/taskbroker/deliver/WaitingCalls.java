package io.taskbroker.deliver;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;

/// Calls for which there is no connection yet. Bounded by the engine's call window. Used by the
/// event loop.
final class WaitingCalls {
  private final Queue<PushCall> calls = new ArrayDeque<>();
  private long since;

  void add(PushCall call, long now) {
    if (calls.isEmpty()) {
      since = now;
    }
    calls.add(call);
  }

  boolean areThere() {
    return !calls.isEmpty();
  }

  /// Since when there are such.
  long since() {
    return since;
  }

  /// Hands all of them on that did not end meanwhile.
  void forEach(Consumer<PushCall> sender) {
    for (PushCall call = calls.poll(); call != null; call = calls.poll()) {
      if (!call.hasEnded()) {
        sender.accept(call);
      }
    }
  }
}
