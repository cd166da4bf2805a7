package io.taskbroker.audit;

/// Fate of one record.
///
/// @param id of the task; empty if there is no record, or it is no task
/// @param detail where the proof is; may be empty
public record AuditEntry(int partition, long offset, String id, Outcome outcome, String detail) {
  AuditEntry with(Outcome other, String proof) {
    return new AuditEntry(partition, offset, id, other, proof);
  }
}
