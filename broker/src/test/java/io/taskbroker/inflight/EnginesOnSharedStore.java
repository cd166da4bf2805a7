package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.store.SharedInMemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Brokers that share a store, with the store, Kafka, and a clock common to all.
final class EnginesOnSharedStore {
  /// Monotonic and wall-clock milliseconds.
  long now = 1_000;

  long wall = 1_700_000_000_000L;

  final SharedInMemoryStore.Disk disk = new SharedInMemoryStore.Disk();
  final List<Log> logs = new ArrayList<>();
  final List<EngineOnSharedStore> peers = new ArrayList<>();

  Observer observer = new Observer() {};

  /// Fault of the store, or of the notifications to brokers.
  SharedStoreBug bug = SharedStoreBug.NONE;

  private final RigOptions options;
  private int generation;

  /// Observer of the brokers.
  interface Observer {
    default void handedOut(EngineOnSharedStore peer, Delivery delivery) {}

    default void noticed(EngineEvent notice, String id) {}

    /// The broker acquired the partition, and is about to load its rows.
    default void taken(EngineOnSharedStore peer, Log log) {}

    /// The broker begins to release the partition, in order.
    default void revoked(EngineOnSharedStore peer, Log log) {}

    /// The broker released the partition.
    default void released(Log log) {}

    /// The broker was informed, or should have been, of fenced changes.
    default void fenced(EngineOnSharedStore peer, List<Change> changes) {}
  }

  EnginesOnSharedStore(RigOptions options) {
    this.options = options;
  }

  EngineOnSharedStore peer(String name) {
    var peer = new EngineOnSharedStore(this, name, options);
    peers.add(peer);
    peer.start();
    return peer;
  }

  Log log(String topic, int partition) {
    var log = new Log(new SourcePartition("cluster", "group", topic + "-uuid", topic, partition));
    logs.add(log);
    return log;
  }

  int nextGeneration() {
    return ++generation;
  }

  /// Advances the time; wakes engines only when they asked for that.
  void pass(long millis) {
    long end = now + millis;
    settle();
    while (now < end) {
      long next = end;
      for (EngineOnSharedStore peer : peers) {
        next = Math.min(next, peer.nextWake());
      }
      next = Math.max(next, now + 1);
      wall += next - now;
      now = next;
      settle();
    }
  }

  void settle() {
    peers.forEach(EngineOnSharedStore::settle);
    peers.forEach(EngineOnSharedStore::settle); // reports that others recorded
  }

  Optional<Row> row(String id) {
    return disk.rows().stream().filter(row -> row.activation().id().equals(id)).findFirst();
  }

  /// A partition in Kafka: a log of records, the committed offset, and the owner.
  final class Log {
    final SourcePartition source;
    final List<Command.IngestedRecord> records = new ArrayList<>();
    long committed = Watermark.NONE;
    @Nullable EngineOnSharedStore owner;

    /// Whether its owner was asked to release it.
    boolean revoked;

    /// Whether the last owner released it in order.
    boolean inOrder = true;

    private Log(SourcePartition source) {
      this.source = source;
    }

    Activation append(Task task) {
      Activation activation =
          task.at(new Origin(source.topic(), source.partition(), records.size()), wall);
      records.add(new Command.IngestedRecord(activation, null));
      return activation;
    }
  }
}
