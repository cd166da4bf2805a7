package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Documents;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.TaskLifecycle;
import io.taskbroker.runtime.Condition;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `docs/log-events.md` lists the named events of the log.
final class LogEventsDocumentTest {
  @Test
  void theDocumentListsEveryEvent() {
    Documents.check("log-events.md", document());
  }

  @Test
  void everyEventHasANameOfItsOwn() {
    List<String> names =
        Stream.of(
                loggedEvents().map(EventLog::name),
                Arrays.stream(TaskLifecycle.values()).map(EventLog::name),
                Arrays.stream(Condition.Kind.values()).map(Condition.Kind::label))
            .flatMap(each -> each)
            .toList();
    assertThat(names).doesNotHaveDuplicates();
  }

  private static Stream<EngineEvent> loggedEvents() {
    return Arrays.stream(EngineEvent.values()).filter(EngineEvent::isLogged);
  }

  private static String document() {
    var text = new StringBuilder();
    text.append(
        """
        # Log events

        Generated from the code; `LogEventsDocumentTest` compares them. The name is the field `event` with
        `log_format: json`, and `event.action` with `log_format: ecs`. Names are stable: an event may be
        added, not renamed. One line is one event. A line without a name is about the process, such as its
        start; its text may change.

        ## Of tasks, applications and reports

        Lines above level `debug` are limited to 10 a second for each event; the metric `inflight.events`
        counts all. [operations.md](operations.md#how-to-follow-one-task) lists the fields of each line
        about a task.

        | event | level | the line begins with |
        |---|---|---|
        """);
    loggedEvents()
        .forEach(event ->
            text.append(
                "| `%s` | `%s` | %s |%n"
                    .formatted(
                        EventLog.name(event),
                        event.level().name().toLowerCase(Locale.ROOT),
                        EventLog.text(event))));
    text.append(
        """
        | `unexpected_outcome` | `error` | The store answers … to a change |

        ## Steps of a task

        Only with `log_filter: "info,taskbroker::engine=debug"` at the start.

        | event | level | the line begins with |
        |---|---|---|
        """);
    for (TaskLifecycle step : TaskLifecycle.values()) {
      text.append("| `%s` | `debug` | %s |%n".formatted(EventLog.name(step), EventLog.text(step)));
    }
    text.append(
        """

        ## Of stages

        Each has a second event, with `_over` behind its name, when it ends. What to do:
        [health.md](health.md).

        | event | what to do |
        |---|---|
        """);
    for (Condition.Kind kind : Condition.Kind.values()) {
      text.append("| `%s` | %s |%n".formatted(kind.label(), kind.action()));
    }
    return text.toString();
  }
}
