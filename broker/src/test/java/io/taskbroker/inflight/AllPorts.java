package io.taskbroker.inflight;

/// All ports of an engine in one object.
public interface AllPorts extends StorePort, PushPort, OutboxPort, OffsetPort, EventPort {
  default EnginePorts ports() {
    return new EnginePorts(this, this, this, this, this);
  }
}
