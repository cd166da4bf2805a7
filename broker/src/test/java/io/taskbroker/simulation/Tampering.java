package io.taskbroker.simulation;

import io.taskbroker.engine.Outlets;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.EngineOptions;
import io.taskbroker.ingest.SteppedReader;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore;
import java.time.InstantSource;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;

/// What is put between the real parts of a broker: nothing, unless a bug is planted there.
interface Tampering {
  Tampering NONE = new Tampering() {};

  default ActivationStore store(ActivationStore store, BrokerRun run) {
    return store;
  }

  default Outlets outlets(Outlets outlets, BrokerRun run) {
    return outlets;
  }

  default CommandSink intake(CommandSink intake, BrokerRun run) {
    return intake;
  }

  default EngineOptions options(EngineOptions options) {
    return options;
  }

  /// The bounds that the broker is held to; what it goes by itself may be another matter.
  default EngineOptions bounds(EngineOptions options) {
    return options;
  }

  default InstantSource clock(InstantSource clock) {
    return clock;
  }

  /// @param wallSteps by how many milliseconds the wall clock of the broker was set forth by now
  default Ticker ticker(Ticker ticker, LongSupplier wallSteps) {
    return ticker;
  }

  default Progress progress(Progress progress) {
    return progress;
  }

  /// What a broker begins with; by its operator these rules hold.
  default SimulatedRules rules(SimulatedRules rules) {
    return rules;
  }

  default SteppedReader.EpochEnds ends(SteppedReader.EpochEnds ends) {
    return ends;
  }

  default Consumer<byte[], byte[]> consumer(Consumer<byte[], byte[]> consumer, BrokerRun run) {
    return consumer;
  }
}
