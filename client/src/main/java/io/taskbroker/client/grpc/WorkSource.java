package io.taskbroker.client.grpc;

import java.time.Duration;

/// A way by which a worker gets deliveries from one broker and reports results. Thread-safe.
public interface WorkSource {
  void start();

  /// Takes no more deliveries; those that still arrive are given back.
  void drain();

  /// Reports what is left, and ends.
  ///
  /// @param timeout for the reports
  void close(Duration timeout) throws InterruptedException;

  /// Whether deliveries can arrive now.
  boolean isConnected();

  /// Where deliveries come from.
  String target();
}
