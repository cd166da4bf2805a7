package io.taskbroker.telemetry;

import io.taskbroker.telemetry.Declared.Channel;
import io.taskbroker.telemetry.Declared.Kind;
import java.util.stream.Collectors;

/// Generator of `docs/metrics.md` from the declarations in [Metrics].
final class MetricsDocument {
  private static final String ABSENT =
      """

      ## No counterpart

      Metrics of the reference that this broker does not have, and why:

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

            Every metric of the broker, with its name in the reference and at the Prometheus endpoint.
            Generated from `io.taskbroker.telemetry.Metrics`; renew with

            ```sh
            %s
            ```

            - **statsd**: UDP to `statsd_addr` once a second, DogStatsD format, prefix `taskbroker.`, with
              `default_metrics_tags`. Counters send the increment since the last second; histograms send one
              line with a sample rate per bucket of 9 %%, at most %d of them, so that traffic does not grow
              with the number of events. An unreachable statsd is not an error.
            - **Prometheus**: `GET /metrics` at `metrics_addr` (127.0.0.1:9464), text or OpenMetrics. The same
              address serves [health](health.md). Units are seconds and bytes. Port 0 disables the endpoint. If
              another process, such as a second broker, holds the default address, the broker logs that and
              starts without the endpoint; a configured address must be free.
            - With [traces](tracing.md), OpenMetrics (`Accept: application/openmetrics-text`) has `trace_id` of a
              sampled task as an exemplar in the buckets of `push.received_to_claimed.latency`,
              `push.received_to_push.latency`, `grpc_server.received_to_gettask.latency` and `tasks.run_time`.
            - A metric has at most %d tag combinations, a histogram %d; the rest is counted under `other`.
            - Gauges by `application` and `taskname` have a line each for the first 500 tasks seen since the
              start. A further task counts as `other` of its application if that application has a line,
              else as `other` of `other`. They are updated every `upkeep_task_interval_ms`.
            - The reference's gauges have the topic `taskworker` and the partition -1 for everything in a
              SQLite store; statsd receives them like that, Prometheus by task.

            | reference, statsd | kind | unit | tags | Prometheus | meaning |
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
