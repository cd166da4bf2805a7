package io.taskbroker.tls;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.Condition.Kind;
import io.taskbroker.runtime.HealthSource;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/// Watch of the broker's own certificates: says which expired, or expires within seven days. Reads
/// a file again when it changes. Confined to the watchdog's thread.
public final class CertificateWatch implements HealthSource {
  private static final Duration SOON = Duration.ofDays(7);

  private final List<Watched> files;
  private final InstantSource clock;
  private final BiConsumer<String, Instant> expiry;

  /// @param files each is followed while the broker runs
  /// @param expiry receives the configuration key of a file and the end of its certificate, when
  ///   the file is read
  public CertificateWatch(
      List<PemFile> files, InstantSource clock, BiConsumer<String, Instant> expiry) {
    this.files = files.stream().map(Watched::new).toList();
    this.clock = clock;
    this.expiry = expiry;
  }

  @Override
  public List<Condition> conditions() {
    Instant now = clock.instant();
    var found = new ArrayList<Condition>();
    for (Watched file : files) {
      file.readIfChanged();
      Kind kind =
          !now.isBefore(file.end)
              ? Kind.CERTIFICATE_EXPIRED
              : now.plus(SOON).isAfter(file.end) ? Kind.CERTIFICATE_EXPIRES_SOON : null;
      if (kind != null) {
        found.add(
            new Condition(
                kind,
                file.pem.key(),
                "the certificate in %s ends at %s".formatted(file.pem.path(), file.end)));
      }
    }
    return found;
  }

  private final class Watched {
    private final PemFile pem;
    private String stamp = "";
    private Instant end = Instant.MAX.minus(SOON);

    Watched(PemFile pem) {
      this.pem = pem;
    }

    /// An unreadable file keeps the last known end: TLS keeps its previous contents too.
    void readIfChanged() {
      try {
        String found = pem.stamp();
        if (!found.equals(stamp)) {
          end = pem.certificates().getFirst().getNotAfter().toInstant();
          stamp = found;
          expiry.accept(pem.key(), end);
        }
      } catch (TlsException _) {
        return;
      }
    }
  }
}
