package io.taskbroker.simulation;

import io.taskbroker.engine.AllPorts;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.ingest.SteppedReader;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore;
import java.time.InstantSource;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;

/// Hooks between the real parts of a broker, to plant bugs; by default they change nothing.
interface Tampering {
  Tampering NONE = new Tampering() {};

  default ActivationStore store(ActivationStore store, SimulatedProcess process) {
    return store;
  }

  default AllPorts ports(AllPorts ports, SimulatedProcess process) {
    return ports;
  }

  default CommandSink sink(CommandSink sink, SimulatedProcess process) {
    return sink;
  }

  default EngineOptions options(EngineOptions options) {
    return options;
  }

  /// The bounds that are checked; the broker may apply others.
  default EngineOptions bounds(EngineOptions options) {
    return options;
  }

  default InstantSource clock(InstantSource clock) {
    return clock;
  }

  /// @param wallSteps milliseconds by which the broker's wall clock was set forward so far
  default Ticker ticker(Ticker ticker, LongSupplier wallSteps) {
    return ticker;
  }

  default Progress progress(Progress progress) {
    return progress;
  }

  /// The rules that a broker starts with; the operator's rules still apply to the checks.
  default SimulatedRules rules(SimulatedRules rules) {
    return rules;
  }

  /// @param lacks whether a restored snapshot lacks what Kafka knows of
  default boolean wentBack(boolean lacks) {
    return lacks;
  }

  /// Whether a broker checks that its last transaction is still in the shared store.
  default boolean noticesFailover() {
    return true;
  }

  default SteppedReader.Log log(SteppedReader.Log log) {
    return log;
  }

  default Consumer<byte[], byte[]> consumer(
      Consumer<byte[], byte[]> consumer, SimulatedProcess process) {
    return consumer;
  }
}
