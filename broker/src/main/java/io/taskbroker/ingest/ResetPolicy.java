package io.taskbroker.ingest;

/// Where to begin a topic of which nothing is known.
enum ResetPolicy {
  EARLIEST,
  LATEST;

  /// The policy that librdkafka knows under that name.
  ///
  /// @throws IllegalArgumentException if there is none
  static ResetPolicy of(String name) {
    return switch (name) {
      case "earliest", "smallest", "beginning" -> EARLIEST;
      case "latest", "largest", "end" -> LATEST;
      default ->
          throw new IllegalArgumentException(
              "auto_offset_reset must be latest or earliest, not '" + name + "'");
    };
  }
}
