package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.OffsetPort;
import io.taskbroker.inflight.api.OutboxPort;
import io.taskbroker.inflight.api.PushPort;

/// All stages in one object. Events that are not logged are ignored.
public interface AllPorts extends CommitterPort, PushPort, OutboxPort, OffsetPort, EventPort {
  default StagePorts ports() {
    return new StagePorts(this, this, this, this, this);
  }

  @Override
  default void lost(SourcePartition partition) {}

  @Override
  default void event(EngineEvent event, Activation about, long age, String detail) {
    if (event.isLogged()) {
      event(event, about.id(), detail);
    }
  }
}
