package io.taskbroker.inflight.api;

import java.util.List;

/// Request of an operator on quarantined activations (H19). Immutable.
///
/// @param action the action
/// @param ids filter by id; empty for all
/// @param topic filter by destination topic; empty for any
/// @param target with [Action#RETARGET]: the new destination topic, which must be one that the
///   broker is configured to know
/// @param limit maximum number to list or to act on
public record QuarantineRequest(
    Action action, List<String> ids, String topic, String target, int limit) {
  public QuarantineRequest {
    ids = List.copyOf(ids);
  }

  /// Action on the matching activations.
  public enum Action {
    /// Lists them.
    LIST,
    /// Tries them again at once.
    RELEASE,
    /// Changes their topic durably, and tries them again at once.
    RETARGET,
    /// Deletes them without producing them.
    DISCARD
  }
}
