package io.taskbroker.simulation;

import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.Ownership;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.util.List;
import java.util.Optional;

/// Ownership of the partitions of a shared store, as seen by one broker: calls fail at times, and
/// the ledger observes acquisitions.
final class ObservedOwnership implements Ownership {
  private final Ownership ownership;
  private final SimulatedProcess process;
  private final SimulatedWorld world;

  ObservedOwnership(Ownership ownership, SimulatedProcess process, SimulatedWorld world) {
    this.ownership = ownership;
    this.process = process;
    this.world = world;
  }

  @Override
  public Optional<Taken> take(SourcePartition partition, int generation) {
    mayFail();
    Optional<Taken> taken = ownership.take(partition, generation);
    if (taken.isPresent()) {
      world.count("partitions taken");
      world.trace(() -> process + " takes " + partition.topic() + "-" + partition.partition());
      process.broker.ledger.taken(process, partition);
    }
    return taken;
  }

  @Override
  public void release(SourcePartition partition, boolean drained) {
    process.broker.ledger.released(process, partition);
    mayFail();
    world.trace(() -> process + " releases " + partition.topic() + "-" + partition.partition());
    ownership.release(partition, drained);
  }

  @Override
  public List<Row> load(SourcePartition partition, long key, int limit) {
    mayFail();
    return ownership.load(partition, key, limit);
  }

  @Override
  public List<ParkedRow> loadParked(SourcePartition partition, long key, int limit) {
    mayFail();
    return ownership.loadParked(partition, key, limit);
  }

  @Override
  public List<Tombstone> tombstones(SourcePartition partition, long now) {
    return ownership.tombstones(partition, now);
  }

  @Override
  public List<RemoteReport> reports(SourcePartition partition) {
    return ownership.reports(partition);
  }

  @Override
  public int countAsHandedOut(SourcePartition partition, long now) {
    return ownership.countAsHandedOut(partition, now);
  }

  private void mayFail() {
    if (world.happens(Fault.STORE_FAILS)) {
      throw new StoreException(Kind.TRANSIENT, "random failure", null);
    }
  }
}
