package io.taskbroker.store;

final class InMemoryStoreTest extends StoreContract {
  private final InMemoryStore.Disk disk = new InMemoryStore.Disk();

  @Override
  protected ActivationStore open() {
    return new InMemoryStore(disk);
  }
}
