package io.taskbroker.inflight.api;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;

/// Killswitches and demotions (reference-spec 3.7). Immutable and thread-safe; the same question
/// always has the same answer.
public interface Rules {
  /// Keeps everything.
  Rules NONE =
      new Rules() {
        @Override
        public boolean exist() {
          return false;
        }

        @Override
        public Decision judge(Activation activation) {
          return Decision.Kept.AS_IT_IS;
        }
      };

  /// Whether any activation could be judged other than kept.
  boolean exist();

  /// Judges an activation. Anything that cannot be parsed counts in favour of keeping it; never
  /// throws.
  Decision judge(Activation activation);

  /// Decision on an activation.
  sealed interface Decision {
    /// It stays.
    enum Kept implements Decision {
      AS_IT_IS,
      /// Its namespace is demoted, but to a topic that this broker consumes.
      WOULD_COME_BACK
    }

    /// A killswitch matches: no worker may run it.
    ///
    /// @param bySelector whether by its arguments; by its name otherwise
    record Killed(boolean bySelector) implements Decision {}

    /// Its namespace is demoted: consumers of the destination run it.
    record Demoted(Destination destination) implements Decision {}
  }
}
