package io.taskbroker.admin;

import io.taskbroker.deadletter.DeadLetter;
import io.taskbroker.deadletter.DeadLetterPage;
import io.taskbroker.deadletter.ErrorGroup;
import io.taskbroker.deadletter.Position;
import io.taskbroker.deadletter.ReplayReport;
import io.taskbroker.deadletter.SkipReason;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Bodies of answers about dead letters, as [Views].
final class DeadLetterViews {
  private DeadLetterViews() {}

  /// A dead letter.
  ///
  /// @param position `partition:offset` in the dead-letter topic
  /// @param taskname empty, as `id`, if its payload is no task
  /// @param attempts that were made
  /// @param topic of the last attempt
  /// @param origin position of the last attempt in it
  /// @param state `open`, `replayed` or `discarded`
  record Letter(
      String position,
      Instant failedAt,
      String id,
      String firstId,
      String application,
      String namespace,
      String taskname,
      long attempts,
      String reason,
      String topic,
      Optional<String> origin,
      long payloadBytes,
      String state,
      Optional<Resolved> resolution) {

    static Letter of(DeadLetterPage.Entry entry) {
      DeadLetter letter = entry.letter();
      return new Letter(
          letter.position().toString(),
          Instant.ofEpochMilli(letter.failedAt()),
          letter.id(),
          letter.firstId(),
          letter.application(),
          letter.namespace(),
          letter.taskname(),
          letter.attempts(),
          letter.reason(),
          letter.topic(),
          letter.origin().map(Position::toString),
          letter.payload().length,
          entry.resolution().map(it -> it.action().label()).orElse("open"),
          entry
              .resolution()
              .map(it ->
                  new Resolved(
                      Instant.ofEpochMilli(it.at()), it.run(), it.topic(), it.id(), it.reason())));
    }
  }

  /// Resolution of a dead letter by an operator.
  ///
  /// @param topic where it was replayed to; empty if it was discarded
  /// @param id of the new task; empty if it was discarded
  record Resolved(Instant at, String run, String topic, String id, String reason) {}

  /// Dead letters found, oldest first in each partition.
  ///
  /// @param cursor of the next page; absent if there is none
  /// @param scanned records that were read
  record LetterPage(List<Letter> letters, Optional<String> cursor, long scanned) {}

  /// Dead letters of one task and error.
  ///
  /// @param open neither replayed nor discarded
  /// @param error the reason with `#` instead of numbers
  /// @param sample position of the latest
  record LetterGroup(
      long count,
      long open,
      String namespace,
      String taskname,
      String error,
      Instant first,
      Instant last,
      String sample) {

    static LetterGroup of(ErrorGroup group) {
      return new LetterGroup(
          group.count(),
          group.open(),
          group.namespace(),
          group.taskname(),
          group.error(),
          Instant.ofEpochMilli(group.first()),
          Instant.ofEpochMilli(group.last()),
          group.sample().toString());
    }
  }

  /// Groups, most frequent first.
  ///
  /// @param complete whether the whole topic was read
  record LetterGroups(List<LetterGroup> groups, long scanned, boolean complete) {}

  /// A dead letter in full.
  ///
  /// @param arguments without secret values
  /// @param editable whether a browser can change the arguments without loss
  /// @param payload in Base64, if it is no task
  /// @param problem why the arguments are absent or cannot be changed
  record LetterDetail(
      Letter letter,
      Map<String, String> recordHeaders,
      Map<String, String> headers,
      long maxAttempts,
      boolean atMostOnce,
      Optional<Object> arguments,
      boolean editable,
      Optional<String> payload,
      Optional<String> problem) {}

  /// Replays and discards of this broker process, latest first.
  record ReplayRuns(List<ReplayRun> runs) {}

  /// A replay, a discard, or a dry run of one.
  ///
  /// @param action `replay` or `discard`
  /// @param state `running`, `done`, `stopped` or `failed`
  /// @param problem why it failed
  record ReplayRun(
      String id,
      String action,
      boolean dryRun,
      String who,
      String reason,
      Instant startedAt,
      String state,
      ReplayCounts counts,
      Optional<String> problem) {

    ReplayRun with(String newState, ReplayCounts newCounts, Optional<String> newProblem) {
      return new ReplayRun(
          id, action, dryRun, who, reason, startedAt, newState, newCounts, newProblem);
    }
  }

  /// Counts of a replay, so far.
  ///
  /// @param selected dead letters that match
  /// @param done replayed or discarded; in a dry run those that would be
  /// @param scanned records of the topic that were read
  /// @param size records of the topic
  /// @param complete whether the end was reached, and nothing was left out by the limit
  /// @param byTopic replayed, by the topic they went to
  record ReplayCounts(
      long selected,
      long done,
      long scanned,
      long size,
      boolean complete,
      Map<String, Long> byTopic,
      List<Skipped> skipped) {
    static final ReplayCounts NONE = new ReplayCounts(0, 0, 0, 0, false, Map.of(), List.of());

    static ReplayCounts of(ReplayReport report) {
      return new ReplayCounts(
          report.selected(),
          report.done(),
          report.scanned(),
          report.size(),
          report.complete(),
          report.byTopic(),
          report.skipped().entrySet().stream().map(Skipped::of).toList());
    }
  }

  /// Dead letters that a replay does not take.
  ///
  /// @param detail why
  record Skipped(String reason, String detail, long count) {
    static Skipped of(Map.Entry<SkipReason, Long> entry) {
      return new Skipped(
          entry.getKey().name().toLowerCase(Locale.ROOT), entry.getKey().text(), entry.getValue());
    }
  }
}
