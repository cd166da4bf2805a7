package io.taskbroker.store;

/// The schedules of the store in memory, which simulations use, fulfil the contract.
final class InMemorySchedulesTest extends ScheduleStoreContract {
  private final InMemoryStore.Disk disk = new InMemoryStore.Disk();

  @Override
  protected ActivationStore open() {
    return new InMemoryStore(disk);
  }
}
