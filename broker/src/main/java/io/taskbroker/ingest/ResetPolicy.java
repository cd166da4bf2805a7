package io.taskbroker.ingest;

/// Start position for a topic without committed offsets and watermarks.
enum ResetPolicy {
  EARLIEST,
  LATEST;

  /// The policy that has this name in librdkafka.
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
