package io.taskbroker.telemetry;

import io.taskbroker.telemetry.Declared.Channel;
import io.taskbroker.telemetry.Declared.Kind;
import java.util.stream.Collectors;

/// `docs/metrics.md`, made from what is declared in [Metrics].
final class MetricsDocument {
  private static final String ABSENT =
      """

      ## No counterpart

      What the reference has beside these, and why this broker has not:

      | reference | why |
      |---|---|
      """;

  private static final String RENEW =
      "mvn test -pl proto,testkit,broker -Dtest='*DocumentTest'"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dtaskbroker.docs=write";

  private MetricsDocument() {}

  static String markdown() {
    var text =
        new StringBuilder(
            """
            # Metrics

            Every metric of the broker, by the name that the reference gave it and that at the Prometheus endpoint. Made from
            `io.taskbroker.telemetry.Metrics`; renewed by

            ```sh
            %s
            ```

            - **statsd**: UDP to `statsd_addr` once a second, in the form of DogStatsD, names behind `taskbroker.`, with
              `default_metrics_tags`. Counters are what was added since the last second; of histograms each bucket of 9 %% is a line with
              a sample rate, %d of them at most, so that what is sent does not grow with what is counted. A statsd that is absent is no error.
            - **Prometheus**: `GET /metrics` at `metrics_addr` (127.0.0.1:9464), text or OpenMetrics; `GET /health` beside it answers 200
              while the broker is ready, 503 while it is not. Seconds and bytes throughout. Port 0: no endpoint. If another
              process, such as a second broker, has the default address already, a line in the log says so; an address that is configured must be free.
            - A metric has %d combinations of tags at most, a histogram %d; what is more is counted under `other`.
            - By `application` and `taskname`, 500 tasks have a line of their own, in the order in which they came since the start; of what is
              more, a task of an application that has one is `other` of it, and any other is `other` of `other`.
              They are brought up to date every `upkeep_task_interval_ms`. The reference's gauges have the topic `taskworker` and the partition
              -1 for all that a SQLite store has; statsd is told them so, and Prometheus has them by task.

            | reference, statsd | kind | unit | tags | Prometheus | what it is |
            |---|---|---|---|---|---|
            """
                .formatted(
                    RENEW,
                    StatsdLines.MAX_BUCKETS,
                    Declarations.MAX_COUNTERS,
                    Declarations.MAX_HISTOGRAMS));
    new Metrics().declared().forEach(metric -> text.append(row(metric)));
    text.append(ABSENT);
    Metrics.ABSENT.forEach(
        absent -> text.append("| `%s` | %s |\n".formatted(absent.names(), absent.why())));
    return text.toString();
  }

  private static String row(Declared metric) {
    String tags =
        metric.tags().stream().map(tag -> "`" + tag + "`").collect(Collectors.joining(", "));
    return "| %s | %s | %s | %s | %s | %s |\n"
        .formatted(
            metric.channel() == Channel.PROMETHEUS ? "" : "`" + metric.name() + "`",
            metric.kind().name().toLowerCase(java.util.Locale.ROOT),
            metric.kind() == Kind.COUNTER ? "" : metric.measure().statsdUnit,
            tags,
            metric.channel() == Channel.STATSD ? "" : "`" + metric.exposed() + "`",
            metric.help());
  }
}
