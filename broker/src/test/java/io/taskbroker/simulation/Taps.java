package io.taskbroker.simulation;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.engine.AllPorts;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.ingest.SteppedReader;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreQuery;
import io.taskbroker.store.WriteBatch;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/// Interceptors between the parts of a broker, for planted bugs.
final class Taps {
  /// A log that seems to have every record that was read, but for those that leader epochs exclude.
  ///
  /// @param epochs whether they exclude any
  static SteppedReader.Log unchanged(SteppedReader.Log log, boolean epochs) {
    return new SteppedReader.Log() {
      @Override
      public long end(int partition) {
        return Long.MAX_VALUE;
      }

      @Override
      public long end(int partition, int leaderEpoch) {
        return epochs ? log.end(partition, leaderEpoch) : Long.MAX_VALUE;
      }

      @Override
      public int epoch(int partition) {
        return Integer.MAX_VALUE;
      }

      @Override
      public @Nullable RecordIdentity record(int partition, long offset) {
        return null;
      }

      @Override
      public long firstAfter(int partition, long timestamp) {
        return -1;
      }
    };
  }

  private Taps() {}

  static ActivationStore misclassifying(ActivationStore store, StoreException.Kind kind) {
    return new ForwardingStore(store) {
      @Override
      public List<ChangeOutcome> commit(WriteBatch batch) {
        try {
          return super.commit(batch);
        } catch (StoreException e) {
          throw e.kind() == kind
              ? new StoreException(StoreException.Kind.TRANSIENT, "misclassified: " + kind, e)
              : e;
        }
      }
    };
  }

  /// Store that applies changes of a kind, and answers otherwise.
  static ActivationStore answering(
      ActivationStore store, Class<? extends Change> kind, ChangeOutcome outcome) {
    return new ForwardingStore(store) {
      @Override
      public List<ChangeOutcome> commit(WriteBatch batch) {
        List<ChangeOutcome> outcomes = new ArrayList<>(super.commit(batch));
        for (int i = 0; i < outcomes.size(); i++) {
          if (kind.isInstance(batch.changes().get(i))) {
            outcomes.set(i, outcome);
          }
        }
        return outcomes;
      }
    };
  }

  static CommandSink dropping(CommandSink sink, Predicate<Command> to) {
    return new ForwardingCommandSink(sink) {
      @Override
      public void submit(Command command) {
        if (!to.test(command)) {
          super.submit(command);
        }
      }
    };
  }

  static ActivationStore without(ActivationStore store, Predicate<Change> what) {
    return new ForwardingStore(store) {
      @Override
      public List<ChangeOutcome> commit(WriteBatch batch) {
        List<Change> others = new ArrayList<>(batch.changes());
        others.removeIf(what);
        var _ = super.commit(new WriteBatch(batch.number(), others));
        return Collections.nCopies(batch.changes().size(), ChangeOutcome.APPLIED);
      }
    };
  }

  /// Replaces activations on arrival.
  static CommandSink arriving(CommandSink sink, UnaryOperator<Activation> by) {
    return new ForwardingCommandSink(sink) {
      @Override
      public void submit(Command command) {
        super.submit(
            command instanceof Command.Ingest records
                ? new Command.Ingest(
                    records.partition(),
                    records.arrivals().stream()
                        .map(each ->
                            new Command.IngestedRecord(
                                by.apply(each.activation()), each.undecodable()))
                        .toList(),
                    records.nextOffset(),
                    records.bytes())
                : command);
      }
    };
  }

  /// Replaces watermarks when they are read.
  static ActivationStore remembering(ActivationStore store, UnaryOperator<Watermark> by) {
    return new ForwardingStore(store) {
      @Override
      public List<Watermark> watermarks() {
        return super.watermarks().stream().map(by).toList();
      }
    };
  }

  static AllPorts changing(AllPorts ports, UnaryOperator<Change> by) {
    return new ForwardingPorts(ports) {
      @Override
      public void submit(List<Change> changes, List<StoreQuery> queries) {
        List<Change> changed = new ArrayList<>(changes);
        changed.replaceAll(by);
        super.submit(changed, queries);
      }
    };
  }

  static byte[] withId(byte[] payload, String id) {
    try {
      return TaskActivation.parseFrom(payload).toBuilder().setId(id).build().toByteArray();
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  /// Passes only the matching records on.
  static CommandSink admitting(CommandSink sink, Predicate<Command.IngestedRecord> which) {
    return new ForwardingCommandSink(sink) {
      @Override
      public void submit(Command command) {
        super.submit(
            command instanceof Command.Ingest records
                ? new Command.Ingest(
                    records.partition(),
                    records.arrivals().stream().filter(which).toList(),
                    records.nextOffset(),
                    records.bytes())
                : command);
      }
    };
  }

  /// Replaces rows when they are loaded.
  static ActivationStore loading(ActivationStore store, UnaryOperator<Row> as) {
    return new ForwardingStore(store) {
      @Override
      public List<Row> load(long key, int limit) {
        return super.load(key, limit).stream().map(as).toList();
      }
    };
  }

  /// The row with another status and processing deadline.
  static Row handedOut(Row row, Status status, long processingDeadline) {
    return new Row(
        row.key(),
        row.activation(),
        status,
        row.addedAt(),
        row.attempts(),
        Row.NONE,
        processingDeadline,
        row.deadlineExtended(),
        row.committed(),
        row.parkedUntil(),
        row.forwardTo());
  }

  /// The same activation with other times.
  static Activation timed(Activation of, long expiresAt, long delayUntil) {
    return new Activation(
            of.id(),
            of.application(),
            of.namespace(),
            of.taskname(),
            of.payload(),
            of.origin(),
            of.receivedAt(),
            expiresAt,
            delayUntil,
            of.deadlineSeconds(),
            of.failurePolicy(),
            of.atMostOnce(),
            of.derived())
        .withPriority(of.priority());
  }

  /// Committed offsets without their metadata.
  static Map<TopicPartition, OffsetAndMetadata> withoutNotes(
      Map<TopicPartition, OffsetAndMetadata> committed) {
    Map<TopicPartition, OffsetAndMetadata> plain = new HashMap<>();
    committed.forEach(
        (partition, offset) -> plain.put(partition, new OffsetAndMetadata(offset.offset())));
    return plain;
  }

  /// Replaces the result of one method of the consumer.
  ///
  /// @param by empty to return nothing
  @SuppressWarnings("unchecked") // proxy of a generic interface
  static Consumer<byte[], byte[]> calling(
      Consumer<byte[], byte[]> consumer, String name, Function<Object[], Optional<?>> by) {
    return (Consumer<byte[], byte[]>)
        Proxy.newProxyInstance(
            Consumer.class.getClassLoader(),
            new Class<?>[] {Consumer.class},
            (_, method, arguments) -> {
              if (method.getName().equals(name)) {
                return by.apply(arguments).orElse(null);
              }
              try {
                return method.invoke(consumer, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
