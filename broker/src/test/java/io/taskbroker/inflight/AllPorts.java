package io.taskbroker.inflight;

import io.taskbroker.inflight.api.EnginePorts;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.OffsetPort;
import io.taskbroker.inflight.api.OutboxPort;
import io.taskbroker.inflight.api.PushPort;
import io.taskbroker.inflight.api.StorePort;

/// All ports of an engine in one object.
public interface AllPorts extends StorePort, PushPort, OutboxPort, OffsetPort, EventPort {
  default EnginePorts ports() {
    return new EnginePorts(this, this, this, this, this);
  }
}
