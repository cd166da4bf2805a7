package io.taskbroker.activation;

import java.util.Optional;

/// A row that the store cannot hold, whatever is tried (H12).
///
/// @param insert what cannot be done
public record RejectedInsert(Change.Insert insert, String why) {

  /// What is stored in its place, under the same key, so that no watermark behind it becomes
  /// durable before the record is (G1): its bytes, as an undecodable message on its way to the
  /// dead-letter topic. Its owner is this refusal.
  ///
  /// @return empty if it is such a message already
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
