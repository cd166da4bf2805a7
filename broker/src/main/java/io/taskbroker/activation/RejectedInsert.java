package io.taskbroker.activation;

import java.util.Optional;

/// Insert that the store can never hold (H12).
///
/// @param insert the rejected change
/// @param why reason, for logs and for the dead letter
public record RejectedInsert(Change.Insert insert, String why) {

  /// Replacement with the same key: the raw bytes as an undecodable message, forwarded to the
  /// dead-letter topic. It keeps watermarks behind it from becoming durable before the record is
  /// (G1). Its owner is this object.
  ///
  /// @return empty if the rejected row is such a message already
  public Optional<Change.Insert> replacement(String deadLetterTopic) {
    Row row = insert.row();
    Activation refused = row.activation();
    Origin origin = refused.origin();
    long receivedAt = refused.receivedAt();
    Activation message = Activation.undecodable(origin, receivedAt, refused.payload(), receivedAt);
    if (refused.id().equals(message.id())) {
      return Optional.empty();
    }
    Row arriving = Row.arriving(row.key(), message, Status.FAILURE, row.addedAt());
    Destination destination =
        Destination.ofUndecodable(deadLetterTopic, origin, why, row.addedAt());
    return Optional.of(new Change.Insert(arriving.forwardedTo(destination), this));
  }
}
