package io.taskbroker.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Spans in front of a receiver that answers when the test says so.
@Timeout(240)
final class SpanBoundTest {
  private static final int CAPACITY = 100;

  private final BlockingQueue<CompletableResultCode> unanswered = new LinkedBlockingQueue<>();
  private final SpanBound bound = new SpanBound();
  private final SdkTracerProvider provider =
      SdkTracerProvider.builder()
          .addSpanProcessor(
              bound.before(
                  BatchSpanProcessor.builder(bound.around(new Receiver()))
                      .setScheduleDelay(Duration.ofMillis(1))
                      .setMaxExportBatchSize(CAPACITY)
                      .build(),
                  CAPACITY))
          .build();
  private final Tracer tracer = provider.get("test");

  @AfterEach
  void close() {
    unanswered.forEach(CompletableResultCode::succeed);
    provider.close();
  }

  @Test
  void aReceiverThatHangsCostsSpansAndNoTime() throws InterruptedException {
    spans(1_000);

    assertThat(bound.dropped()).isEqualTo(900);
    CompletableResultCode first = unanswered.take();
    first.fail();
    long refused = bound.dropped() - 900;
    assertThat(refused).isBetween(1L, 100L);

    spans((int) refused + 1);
    assertThat(bound.dropped()).as("the room of the refused ones is free").isEqualTo(901 + refused);
  }

  @Test
  void everySpanOfManyThreadsIsSettledOrCounted() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(Thread.ofPlatform().start(() -> spans(2_000)));
    }
    for (Thread each : threads) {
      each.join();
    }
    assertThat(bound.dropped()).isEqualTo(4 * 2_000 - CAPACITY);
  }

  private void spans(int number) {
    for (int i = 0; i < number; i++) {
      tracer.spanBuilder("span").startSpan().end();
    }
  }

  private final class Receiver implements SpanExporter {
    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      var result = new CompletableResultCode();
      unanswered.add(result);
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
      return CompletableResultCode.ofSuccess();
    }
  }
}
