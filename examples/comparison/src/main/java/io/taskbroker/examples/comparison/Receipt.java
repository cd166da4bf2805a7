package io.taskbroker.examples.comparison;

import java.math.BigDecimal;

/// What the customer is told.
record Receipt(String order, String email, BigDecimal total) {
  /// Sends it by mail; may fail for now.
  void send() {}
}
