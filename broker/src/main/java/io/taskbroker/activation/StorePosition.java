package io.taskbroker.activation;

/// Position of a transaction in the history of a store; only ever increases. A store that lacks a
/// position which it once had went back: a standby that misses the last seconds, or a restored copy
/// (docs/adr/0012).
///
/// @param epoch of the writer; grows from one broker process to the next
/// @param batch number of the transaction within the epoch
public record StorePosition(long epoch, long batch) {
  /// Position of a store without transactions, or that does not count them.
  public static final StorePosition NONE = new StorePosition(-1, -1);
}
