package io.taskbroker.telemetry;

import io.sentry.Hint;
import io.sentry.SentryEnvelope;
import io.sentry.cache.IEnvelopeCache;
import java.util.Collections;
import java.util.Iterator;
import java.util.function.LongConsumer;

/// Counts the envelopes that did not reach Sentry, in the place of a cache that would keep them:
/// the library stores an envelope before it sends it, and discards it when Sentry has it, but does
/// not report a request that timed out. Used by the one thread of the library that sends, but for
/// [#overdue].
final class SentryDeliveries implements IEnvelopeCache {
  /// After which a request that is under way counts as failed: it has time-outs of 2 s.
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final LongConsumer failed;
  private volatile boolean underWay;
  private volatile long since;

  /// @param failed told of each envelope that failed, when the next one is sent
  SentryDeliveries(LongConsumer failed) {
    this.failed = failed;
  }

  @Override
  @Deprecated
  public void store(SentryEnvelope envelope, Hint hint) {
    boolean _ = storeEnvelope(envelope, hint);
  }

  /// Says that the envelope is stored, or the library would count some of those that fail itself.
  @Override
  public boolean storeEnvelope(SentryEnvelope envelope, Hint hint) {
    if (underWay) {
      failed.accept(1);
    }
    since = System.nanoTime();
    underWay = true;
    return true;
  }

  /// How many envelopes, one at most, have failed in all likelihood, which the next one will show.
  int overdue() {
    return underWay && System.nanoTime() - since > PATIENCE_NANOS ? 1 : 0;
  }

  @Override
  public void discard(SentryEnvelope envelope) {
    underWay = false;
  }

  @Override
  public Iterator<SentryEnvelope> iterator() {
    return Collections.emptyIterator();
  }
}
