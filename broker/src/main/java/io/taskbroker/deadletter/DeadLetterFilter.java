package io.taskbroker.deadletter;

import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Selection of dead letters; conditions that are empty select all. Immutable.
///
/// @param since only failures at or after this time, milliseconds since the epoch
/// @param until only failures before this time, milliseconds since the epoch
/// @param taskname exact
/// @param namespace exact
/// @param application exact: the worker pool of the task
/// @param error part of the reason, in any case
/// @param headers values that the Kafka headers or the headers of the task must have
/// @param ids positions (`partition:offset`), or ids of tasks or of their first attempts
public record DeadLetterFilter(
    long since,
    long until,
    String taskname,
    String namespace,
    String application,
    String error,
    Map<String, String> headers,
    Set<String> ids) {

  /// Allowance for the clocks of brokers and Kafka: a record is not older than its failure, but by
  /// this much.
  private static final long CLOCK_DIFFERENCE_MS = 60 * 60_000;

  /// Selects everything.
  public static final DeadLetterFilter ALL =
      new DeadLetterFilter(0, Long.MAX_VALUE, "", "", "", "", Map.of(), Set.of());

  public DeadLetterFilter {
    headers = Map.copyOf(headers);
    ids = Set.copyOf(ids);
  }

  /// Selects dead letters by position or id.
  public static DeadLetterFilter of(Set<String> ids) {
    return new DeadLetterFilter(0, Long.MAX_VALUE, "", "", "", "", Map.of(), ids);
  }

  public boolean matches(DeadLetter letter) {
    long failed = letter.failedAt();
    return failed >= since
        && failed < until
        && isEqual(taskname, letter.taskname())
        && isEqual(namespace, letter.namespace())
        && isEqual(application, letter.application())
        && (error.isEmpty()
            || letter.reason().toLowerCase(Locale.ROOT).contains(error.toLowerCase(Locale.ROOT)))
        && headers.entrySet().stream().allMatch(it -> hasHeader(letter, it.getKey(), it.getValue()))
        && (ids.isEmpty() || isNamed(letter));
  }

  /// The part of a partition that may hold matching dead letters.
  TopicScan.Range range(TopicScan scan, int partition) {
    TopicScan.Range all = scan.range(partition);
    long begin = all.begin();
    long end = all.end();
    if (since > 0) {
      begin = Math.max(begin, scan.firstAt(partition, since - CLOCK_DIFFERENCE_MS));
    }
    if (!ids.isEmpty() && ids.stream().allMatch(Position::isPosition)) {
      var offsets =
          ids.stream()
              .map(Position::of)
              .filter(it -> it.partition() == partition)
              .mapToLong(Position::offset)
              .summaryStatistics();
      begin = Math.max(begin, offsets.getMin());
      end = Math.min(end, offsets.getMax() + 1);
    }
    return new TopicScan.Range(begin, Math.max(begin, end));
  }

  private boolean isNamed(DeadLetter letter) {
    return ids.contains(letter.position().toString())
        || (!letter.id().isEmpty()
            && (ids.contains(letter.id()) || ids.contains(letter.firstId())));
  }

  private static boolean isEqual(String wanted, String value) {
    return wanted.isEmpty() || wanted.equals(value);
  }

  private static boolean hasHeader(DeadLetter letter, String name, String value) {
    return value.equals(letter.headers().get(name))
        || letter.task().filter(it -> value.equals(it.getHeadersMap().get(name))).isPresent();
  }
}
