package io.taskbroker.activation;

/// Place of a transaction in the history of a store: it only moves forward. A store that lacks a
/// position which it once had went back: a standby without the last seconds, or a copy that was put
/// in its place (docs/adr/0012).
///
/// @param epoch of the writer; grows from one run of a broker to the next
/// @param batch number of the transaction in that run
public record StorePosition(long epoch, long batch) {
  /// Of a store that has made no transaction, or counts none.
  public static final StorePosition NONE = new StorePosition(-1, -1);
}
