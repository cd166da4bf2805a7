package io.taskbroker.deliver;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;

/// Queue of calls that wait for a connection. Bounded by the engine's call window. Used by the
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

  boolean isNotEmpty() {
    return !calls.isEmpty();
  }

  /// Time since which calls have been waiting.
  long since() {
    return since;
  }

  /// Removes all calls and passes on those that have not ended.
  void forEach(Consumer<PushCall> sender) {
    for (PushCall call = calls.poll(); call != null; call = calls.poll()) {
      if (!call.hasEnded()) {
        sender.accept(call);
      }
    }
  }
}
