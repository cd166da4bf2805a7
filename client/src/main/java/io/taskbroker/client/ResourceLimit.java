package io.taskbroker.client;

/// Limits on the use of heap and processors by this process, above which a worker takes fewer
/// tasks.
///
/// @param heap part of the largest heap that is in use after a collection, more than 0, at most 1
/// @param cpu part of the time that the processors are busy, those of the container if there is
///   one, more than 0, at most 1
public record ResourceLimit(double heap, double cpu) {
  public ResourceLimit {
    check("heap", heap);
    check("cpu", cpu);
  }

  /// 80 % of the heap, 90 % of the processors.
  public static ResourceLimit standard() {
    return new ResourceLimit(0.8, 0.9);
  }

  private static void check(String name, double part) {
    if (!(part > 0 && part <= 1)) {
      throw new IllegalArgumentException(name + " must be more than 0 and at most 1, not " + part);
    }
  }
}
