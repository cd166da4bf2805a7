package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;

/// Which tasks are switched off, and which namespaces go elsewhere (reference-spec 3.7). Immutable,
/// thread-safe, and the same answer to the same question always.
public interface Rules {
  /// Everything stays.
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

  /// What is to become of the activation. Whatever cannot be understood of it speaks for keeping
  /// it; throws nothing.
  Decision judge(Activation activation);

  /// What is to become of an activation.
  sealed interface Decision {
    /// It stays.
    enum Kept implements Decision {
      AS_IT_IS,
      /// Its namespace is demoted, but to a topic that this broker consumes: it would come back.
      WOULD_COME_BACK
    }

    /// It is switched off: nobody is to run it.
    ///
    /// @param bySelector whether by its arguments; by its name otherwise
    record Killed(boolean bySelector) implements Decision {}

    /// Its namespace is demoted: others are to run it.
    record Demoted(Destination destination) implements Decision {}
  }
}
