package io.taskbroker.ingest.fetch;

/// What the records of one poll may take of the heap, counted before it is allocated. Used by the
/// thread that polls.
public final class PollBudget {
  /// What a record takes beside its value: the record of the consumer, and headers that are none.
  private static final long RECORD_BYTES = 200;

  private final IntakeMemory memory;
  private long limit;
  private long taken;

  public PollBudget(IntakeMemory memory) {
    this.memory = memory;
  }

  /// A poll begins.
  ///
  /// @param bytes what its records may take; the first one may take more
  public void begin(long bytes) {
    limit = bytes;
  }

  /// The records of the poll are accounted for elsewhere, or gone.
  public void end() {
    memory.give(taken);
    taken = 0;
  }

  /// Takes what a record needs.
  ///
  /// @throws PollBudgetExceeded if there is not enough left: the record comes with a later poll
  void take(long valueBytes) {
    long bytes = valueBytes + RECORD_BYTES;
    if ((taken > 0 && bytes > limit - taken) || !memory.tryTake(bytes)) {
      throw new PollBudgetExceeded();
    }
    taken += bytes;
  }
}
