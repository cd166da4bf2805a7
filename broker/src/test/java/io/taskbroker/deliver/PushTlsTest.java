package io.taskbroker.deliver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.api.Command.PushEnded;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.CertificateAuthority.Issued;
import io.taskbroker.tls.PemFile;
import io.taskbroker.tls.TlsContext;
import io.taskbroker.tls.TlsFiles;
import io.taskbroker.tls.TlsFiles.IdentityFiles;
import io.taskbroker.wire.Signatures;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pushes to workers over TLS, with real certificates.
@Timeout(240)
final class PushTlsTest {
  private static final String LOCAL = "127.0.0.1";

  private final CertificateAuthority authority = new CertificateAuthority("workers");
  private final RecordedPushes intake = new RecordedPushes();
  private final List<AutoCloseable> open = new ArrayList<>();
  @TempDir private Path dir;

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
    assertThat(intake.outcomes).as("surplus outcomes").isEmpty();
  }

  @Test
  void pushesOverTls() throws Exception {
    Worker worker = worker(authority.issue(dir, "worker", LOCAL), Optional.empty());

    assertThat(push(worker.address(), client(Optional.empty(), ca())).outcome())
        .isEqualTo(PushOutcome.ACCEPTED);
    Worker.Call call = worker.calls.take();
    assertThat(call.authority()).isEqualTo(LOCAL + ":" + worker.port());
    assertThat(
            new Signatures(List.of("secret"))
                .forPath(PushCall.PATH)
                .accepts(call.message(), call.signature()))
        .as("signed within TLS")
        .isTrue();
  }

  @Test
  void pushesToAWorkerThatRequiresAClientCertificate() throws Exception {
    var brokers = new CertificateAuthority("brokers");
    Worker worker =
        worker(
            authority.issue(dir, "worker", LOCAL),
            Optional.of(brokers.write(dir.resolve("b.pem"))));

    assertThat(
            push(
                    worker.address(),
                    client(Optional.of(brokers.issue(dir, "broker", "broker")), ca()))
                .outcome())
        .isEqualTo(PushOutcome.ACCEPTED);
    assertThat(push(worker.address(), client(Optional.empty(), ca())).outcome())
        .as("without a certificate")
        .isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(
            push(
                    worker.address(),
                    client(Optional.of(authority.issue(dir, "stranger", "broker")), ca()))
                .outcome())
        .as("with an untrusted certificate")
        .isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(worker.calls).hasSize(1);
  }

  @Test
  void rejectsAWorkerSignedByAnotherCa() throws Exception {
    var other = new CertificateAuthority("others");
    Worker worker = worker(other.issue(dir, "worker", LOCAL), Optional.empty());

    PushEnded pushed = push(worker.address(), client(Optional.empty(), ca()));

    assertThat(pushed.outcome()).isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(pushed.detail()).contains("unable to find valid certification path");
    assertThat(push(worker.address(), client(Optional.empty(), Optional.empty())).outcome())
        .as("with Java's CAs")
        .isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(worker.calls).isEmpty();
  }

  @Test
  void rejectsAWorkerWithAnotherName() throws Exception {
    Worker worker = worker(authority.issue(dir, "worker", "worker.example"), Optional.empty());

    PushEnded pushed = push(worker.address(), client(Optional.empty(), ca()));

    assertThat(pushed.outcome()).isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(pushed.detail()).contains("No subject alternative names matching IP address");
    assertThat(worker.calls).isEmpty();
  }

  @Test
  void rejectsAnExpiredWorkerCertificate() throws Exception {
    Instant now = Instant.now();
    Issued expired =
        authority.issue(
            dir, "worker", now.minus(Duration.ofHours(2)), now.minus(Duration.ofHours(1)), LOCAL);
    Worker worker = worker(expired, Optional.empty());

    PushEnded pushed = push(worker.address(), client(Optional.empty(), ca()));

    assertThat(pushed.outcome()).isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(pushed.detail()).contains("certificate_expired");
  }

  @Test
  void plaintextPushToATlsWorkerFails() throws Exception {
    Worker worker = worker(authority.issue(dir, "worker", LOCAL), Optional.empty());
    URI plaintext = URI.create("http://127.0.0.1:" + worker.port());

    assertThat(push(plaintext, client(Optional.empty(), ca())).outcome())
        .isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(push(worker.address(), client(Optional.empty(), ca())).outcome())
        .isEqualTo(PushOutcome.ACCEPTED);
    assertThat(worker.calls).hasSize(1);
  }

  @Test
  void anHttpsAddressNeedsTls() {
    assertThatThrownBy(() ->
            new PushClient(
                Map.of("app", URI.create("https://w:1")),
                options(Optional.empty()),
                intake,
                new Metrics()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'app'")
        .hasMessageContaining("https://w:1");
  }

  private PushEnded push(URI worker, TlsContext tls) throws Exception {
    var client =
        new PushClient(Map.of("app", worker), options(Optional.of(tls)), intake, new Metrics());
    client.start();
    open.add(client::stop);
    client.push(Deliveries.of("x", "app", new byte[] {10, 1, 'x'}));
    return intake.next();
  }

  private static PushOptions options(Optional<TlsContext> tls) {
    return new PushOptions(
        List.of("secret"), Duration.ofSeconds(30), 1 << 20, tls, PushOptions.Connections.DEFAULT);
  }

  private Optional<Path> ca() {
    return Optional.of(authority.write(dir.resolve("ca.pem")));
  }

  private Worker worker(Issued identity, Optional<Path> clients) throws Exception {
    Worker worker = Worker.start(TlsContext.server(files(Optional.of(identity), clients)));
    open.add(worker);
    return worker;
  }

  private static TlsContext client(Optional<Issued> identity, Optional<Path> ca) {
    return TlsContext.client(files(identity, ca));
  }

  private static TlsFiles files(Optional<Issued> identity, Optional<Path> ca) {
    return new TlsFiles(
        identity.map(issued ->
            new IdentityFiles(
                new PemFile("certificate", issued.certificate()),
                new PemFile("key", issued.key()))),
        ca.map(path -> new PemFile("ca", path)));
  }
}
