package io.taskbroker.inflight;

import java.util.List;

/// What an operator wants of the activations that cannot be produced (quarantine, H19). Immutable.
///
/// @param action what to do
/// @param ids which; none for all
/// @param topic which: only those for this topic; empty for any
/// @param target with [Action#RETARGET]: the topic that they are for from now on, which must be one
///   that the broker is configured to know
/// @param limit how many to list, or to act on, at most
public record QuarantineRequest(
    Action action, List<String> ids, String topic, String target, int limit) {
  public QuarantineRequest {
    ids = List.copyOf(ids);
  }

  /// What is done with them.
  public enum Action {
    /// Nothing: they are listed.
    LIST,
    /// They are tried again at once.
    RELEASE,
    /// They are for another topic from now on, durably, and tried again at once.
    RETARGET,
    /// They are deleted, and produced nowhere.
    DISCARD
  }
}
