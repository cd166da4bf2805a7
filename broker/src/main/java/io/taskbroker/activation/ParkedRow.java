package io.taskbroker.activation;

/// What stays in memory of a row that is parked in the store.
///
/// @param leavesTombstone as [Activation#leavesTombstone]: it may end while it is parked (H8)
public record ParkedRow(
    long key,
    String id,
    String application,
    Origin origin,
    long parkedUntil,
    boolean leavesTombstone) {

  /// What stays in memory of that row.
  public static ParkedRow of(Row row) {
    Activation activation = row.activation();
    return new ParkedRow(
        row.key(),
        activation.id(),
        activation.application(),
        activation.origin(),
        row.parkedUntil(),
        activation.leavesTombstone());
  }
}
