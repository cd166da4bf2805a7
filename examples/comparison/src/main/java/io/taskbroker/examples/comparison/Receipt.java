package io.taskbroker.examples.comparison;

import java.io.Serializable;
import java.math.BigDecimal;

/// What the customer is told. Serializable for db-scheduler.
record Receipt(String order, String email, BigDecimal total) implements Serializable {
  /// Sends it by mail; may fail for now.
  void send() {}
}
