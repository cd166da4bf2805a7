package io.taskbroker.lab.kafka;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Topic option of the command line: `NAME` or `NAME:PARTITIONS`.
record TopicOption(String name, int partitions) {
  private static final Pattern FORM = Pattern.compile("([A-Za-z0-9._-]{1,249})(?::(\\d{1,4}))?");

  /// @throws IllegalArgumentException if the name is invalid for Kafka, or there are no partitions
  static TopicOption parse(String option) {
    Matcher parts = FORM.matcher(option);
    if (!parts.matches()) {
      throw new IllegalArgumentException("must be NAME or NAME:PARTITIONS");
    }
    int partitions = parts.group(2) == null ? 1 : Integer.parseInt(parts.group(2));
    if (partitions == 0) {
      throw new IllegalArgumentException("needs at least 1 partition");
    }
    return new TopicOption(parts.group(1), partitions);
  }
}
