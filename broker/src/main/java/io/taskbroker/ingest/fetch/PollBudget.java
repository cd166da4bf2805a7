package io.taskbroker.ingest.fetch;

/// Bound of the heap that the records of one poll may take, counted before they are allocated. Used
/// by the thread that polls.
public final class PollBudget {
  /// Overhead of a record beside its value: the consumer's record object and its empty headers.
  private static final long RECORD_BYTES = 200;

  private final IntakeMemory memory;
  private long limit;
  private long taken;

  public PollBudget(IntakeMemory memory) {
    this.memory = memory;
  }

  /// Begins a poll.
  ///
  /// @param bytes bound for its records; the first one may exceed it
  public void begin(long bytes) {
    limit = bytes;
  }

  /// Ends the poll: its records are accounted for elsewhere, or discarded.
  public void end() {
    memory.give(taken);
    taken = 0;
  }

  /// Reserves memory for a record.
  ///
  /// @throws PollBudgetExceeded if not enough is left: a later poll returns the record
  void take(long valueBytes) {
    long bytes = valueBytes + RECORD_BYTES;
    if ((taken > 0 && bytes > limit - taken) || !memory.tryTake(bytes)) {
      throw new PollBudgetExceeded();
    }
    taken += bytes;
  }
}
