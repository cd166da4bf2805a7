package io.taskbroker.tracing;

import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// Bound on the spans that are not exported yet. Spans beyond it are dropped and counted, and so
/// are those that the receiver does not take. Thread-safe; nothing blocks.
final class SpanBound {
  private final AtomicInteger pending = new AtomicInteger();
  private final LongAdder dropped = new LongAdder();

  /// Spans that did not reach the receiver.
  long dropped() {
    return dropped.sum();
  }

  /// Processor in front of one that queues spans.
  ///
  /// @param capacity most spans that are not exported
  SpanProcessor before(SpanProcessor queue, int capacity) {
    return new Gate(queue, capacity);
  }

  /// Exporter that settles what the processor admitted.
  SpanExporter around(SpanExporter exporter) {
    return new Settling(exporter);
  }

  private final class Gate implements SpanProcessor {
    private final SpanProcessor queue;
    private final int capacity;

    Gate(SpanProcessor queue, int capacity) {
      this.queue = queue;
      this.capacity = capacity;
    }

    @Override
    public void onStart(Context parent, ReadWriteSpan span) {}

    @Override
    public boolean isStartRequired() {
      return false;
    }

    @Override
    public void onEnd(ReadableSpan span) {
      if (pending.incrementAndGet() > capacity) {
        pending.decrementAndGet();
        dropped.increment();
      } else {
        queue.onEnd(span);
      }
    }

    @Override
    public boolean isEndRequired() {
      return true;
    }

    @Override
    public CompletableResultCode shutdown() {
      return queue.shutdown();
    }

    @Override
    public CompletableResultCode forceFlush() {
      return queue.forceFlush();
    }
  }

  private final class Settling implements SpanExporter {
    private final SpanExporter exporter;

    Settling(SpanExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      int number = spans.size();
      CompletableResultCode result = exporter.export(spans);
      return result.whenComplete(() -> {
        pending.addAndGet(-number);
        if (!result.isSuccess()) {
          dropped.add(number);
        }
      });
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }
}
