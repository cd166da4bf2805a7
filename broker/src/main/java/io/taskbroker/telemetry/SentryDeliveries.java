package io.taskbroker.telemetry;

import io.sentry.Hint;
import io.sentry.SentryEnvelope;
import io.sentry.cache.IEnvelopeCache;
import java.util.Collections;
import java.util.Iterator;
import java.util.function.LongConsumer;

/// Counter of envelopes that did not reach Sentry, installed as the library's envelope cache. The
/// library stores an envelope before it sends it and discards it once Sentry has it, but does not
/// report a request that timed out. Used by the library's single sender thread, except for
/// [#overdue].
final class SentryDeliveries implements IEnvelopeCache {
  /// Time after which a pending request counts as failed; its timeouts are 2 s.
  private static final long OVERDUE_NANOS = 10_000_000_000L;

  private final LongConsumer failed;
  private volatile boolean pending;
  private volatile long sentAt;

  /// @param failed called for each failed envelope, when the next one is sent
  SentryDeliveries(LongConsumer failed) {
    this.failed = failed;
  }

  @Override
  @Deprecated
  public void store(SentryEnvelope envelope, Hint hint) {
    boolean _ = storeEnvelope(envelope, hint);
  }

  /// Claims that the envelope is stored; otherwise the library would count some of the failures
  /// itself.
  @Override
  public boolean storeEnvelope(SentryEnvelope envelope, Hint hint) {
    if (pending) {
      failed.accept(1);
    }
    sentAt = System.nanoTime();
    pending = true;
    return true;
  }

  /// Number of envelopes, at most one, that have probably failed; confirmed by the next one.
  int overdue() {
    return pending && System.nanoTime() - sentAt > OVERDUE_NANOS ? 1 : 0;
  }

  @Override
  public void discard(SentryEnvelope envelope) {
    pending = false;
  }

  @Override
  public Iterator<SentryEnvelope> iterator() {
    return Collections.emptyIterator();
  }
}
