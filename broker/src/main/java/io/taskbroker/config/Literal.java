package io.taskbroker.config;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/// Untyped value in a file. Values are equal only if of the same type: 1 equals neither 1.0 nor
/// "1". Immutable.
public sealed interface Literal {

  /// The null value.
  enum Nil implements Literal {
    NIL
  }

  record Bool(boolean value) implements Literal {}

  record Whole(BigInteger value) implements Literal {}

  /// Floating-point number. Zero has no sign.
  record Real(double value) implements Literal {
    public Real {
      value += 0.0;
    }
  }

  record Text(String value) implements Literal {}

  record Items(List<Literal> values) implements Literal {
    public Items {
      values = List.copyOf(values);
    }
  }

  record Fields(Map<String, Literal> values) implements Literal {
    public Fields {
      values = Map.copyOf(values);
    }
  }
}
