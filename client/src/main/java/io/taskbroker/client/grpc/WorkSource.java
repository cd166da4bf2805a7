package io.taskbroker.client.grpc;

import java.time.Duration;

/// Source of a worker's deliveries from one broker, to which it reports results. Thread-safe.
public interface WorkSource {
  void start();

  /// Takes no more deliveries; those that still arrive are given back.
  void drain();

  /// Reports the remaining results, and ends.
  ///
  /// @param timeout for the reports
  void close(Duration timeout) throws InterruptedException;

  /// Whether deliveries can arrive now.
  boolean isConnected();

  /// Address that deliveries come from.
  String target();
}
