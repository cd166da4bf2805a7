package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Engine stub that records its commands, and settles records at once or when the test says so.
/// Thread-safe.
final class ScriptedEngine implements CommandSink {
  private final List<Command> commands = new ArrayList<>();
  private final Map<SourcePartition, List<Command.Ingest>> open = new HashMap<>();
  private @Nullable Ingest ingest;
  private boolean settling = true;
  private boolean settlingOnRevoke;
  private boolean draining = true;
  private boolean urgent;
  private long outstanding;
  private long mostOutstanding;

  synchronized void attach(Ingest stage) {
    ingest = stage;
  }

  /// Keeps records unsettled from now on, until the test settles them.
  synchronized ScriptedEngine holding() {
    settling = false;
    return this;
  }

  /// Makes the first batch of a revoked partition durable before the partition is drained.
  synchronized ScriptedEngine settlingOneBatchOnRevoke() {
    settlingOnRevoke = true;
    return this;
  }

  /// Never drains revoked partitions.
  synchronized ScriptedEngine neverDraining() {
    draining = false;
    return this;
  }

  /// Settles everything urgently.
  synchronized ScriptedEngine urgent() {
    urgent = true;
    return this;
  }

  @Override
  public void request(Command.Request request) {
    throw new IllegalStateException("Ingest sends no requests");
  }

  @Override
  public synchronized void submit(Command command) {
    commands.add(command);
    if (command instanceof Command.Ingest records) {
      outstanding += records.arrivals().size();
      mostOutstanding = Math.max(mostOutstanding, outstanding);
      open.computeIfAbsent(records.partition(), _ -> new ArrayList<>()).add(records);
      if (settling) {
        settle(records.partition(), Integer.MAX_VALUE);
      }
    } else if (command instanceof Command.PartitionRevoked revoked) {
      if (settlingOnRevoke) {
        settle(revoked.partition(), 1);
      }
      outstanding -=
          open.getOrDefault(revoked.partition(), List.of()).stream()
              .mapToInt(each -> each.arrivals().size())
              .sum();
      open.remove(revoked.partition());
      if (draining) {
        stage().drained(revoked.partition());
      }
    }
  }

  /// Settles all open records and all later ones.
  synchronized void settleAll() {
    settling = true;
    List.copyOf(open.keySet()).forEach(partition -> settle(partition, Integer.MAX_VALUE));
  }

  /// Settles the first open batches of the partition.
  synchronized void settle(SourcePartition partition, int batches) {
    List<Command.Ingest> waiting = open.getOrDefault(partition, new ArrayList<>());
    for (int i = 0; i < batches && !waiting.isEmpty(); i++) {
      Command.Ingest first = waiting.removeFirst();
      outstanding -= first.arrivals().size();
      stage()
          .consumed(partition, first.nextOffset(), first.arrivals().size(), first.bytes(), urgent);
    }
  }

  private Ingest stage() {
    return Objects.requireNonNull(ingest, "attach the stage first");
  }

  synchronized List<Command> commands() {
    return List.copyOf(commands);
  }

  synchronized <C extends Command> List<C> commands(Class<C> type) {
    return commands.stream().filter(type::isInstance).map(type::cast).toList();
  }

  synchronized void forgetCommands() {
    commands.clear();
  }

  synchronized List<Command.IngestedRecord> arrivals(int partition) {
    return commands(Command.Ingest.class).stream()
        .filter(each -> each.partition().partition() == partition)
        .flatMap(each -> each.arrivals().stream())
        .toList();
  }

  List<Long> offsets(int partition) {
    return arrivals(partition).stream().map(each -> each.activation().origin().offset()).toList();
  }

  boolean isAssigned(int partition) {
    return commands(Command.PartitionAssigned.class).stream()
        .anyMatch(each -> each.partition().partition() == partition);
  }

  /// The partition with the identity of its last assignment.
  SourcePartition partition(int number) {
    return commands(Command.PartitionAssigned.class).stream()
        .map(Command.PartitionAssigned::partition)
        .filter(each -> each.partition() == number)
        .reduce((_, last) -> last)
        .orElseThrow();
  }

  /// The last acknowledged offset.
  long committed(int partition) {
    return commands(Command.OffsetCommitted.class).stream()
        .filter(each -> each.partition().partition() == partition)
        .mapToLong(Command.OffsetCommitted::offset)
        .reduce((_, last) -> last)
        .orElse(Watermark.NONE);
  }

  synchronized long outstanding() {
    return outstanding;
  }

  synchronized long mostOutstanding() {
    return mostOutstanding;
  }
}
