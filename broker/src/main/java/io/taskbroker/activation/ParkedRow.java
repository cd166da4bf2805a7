package io.taskbroker.activation;

/// In-memory part of a parked row.
///
/// @param leavesTombstone as [Activation#leavesTombstone]: a row may finish while it is parked (H8)
/// @param priority as in [Priority]
public record ParkedRow(
    long key,
    String id,
    String application,
    Origin origin,
    long parkedUntil,
    boolean leavesTombstone,
    int priority) {

  /// The in-memory part of `row`.
  public static ParkedRow of(Row row) {
    Activation activation = row.activation();
    return new ParkedRow(
        row.key(),
        activation.id(),
        activation.application(),
        activation.origin(),
        row.parkedUntil(),
        activation.leavesTombstone(),
        activation.priority());
  }
}
