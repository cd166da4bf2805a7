package io.taskbroker.grpc;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.spi.ILoggingEvent;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.taskbroker.LogCapture;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.CertificateAuthority.Issued;
import io.taskbroker.tls.PemFile;
import io.taskbroker.tls.TlsContext;
import io.taskbroker.tls.TlsFiles;
import io.taskbroker.tls.TlsFiles.IdentityFiles;
import io.taskbroker.wire.Signatures;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// gRPC server with TLS and real certificates: accepted clients, and log lines about rejected ones.
final class GrpcTlsTest extends ServedTest {
  private static final String LOCAL = "127.0.0.1";
  private static final SetTaskStatusRequest REPORT =
      SetTaskStatusRequest.newBuilder()
          .setId("x")
          .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
          .build();

  private final CertificateAuthority authority = new CertificateAuthority("brokers");
  private final CertificateAuthority workers = new CertificateAuthority("workers");
  private final CertificateAuthority strangers = new CertificateAuthority("strangers");
  @RegisterExtension private final LogCapture log = LogCapture.of(HandshakeWatch.class);
  private final List<ManagedChannel> channels = new ArrayList<>();
  @TempDir private Path dir;

  @BeforeEach
  void answerWithNothing() {
    intake.answerWithNothing();
  }

  @AfterEach
  void hangUp() {
    channels.forEach(ManagedChannel::shutdownNow);
  }

  @Test
  void reportsAndHealthGoThroughTls() {
    GrpcServer server = serve(LOCAL, Optional.empty(), List.of("secret"));
    server.setServing(true);
    ManagedChannel channel = connect(server, authority, Optional.empty());
    Metadata signature = new Metadata();
    signature.put(
        Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER),
        new Signatures(List.of("secret"))
            .forPath("/" + ConsumerService.NAME + "/SetTaskStatus")
            .sign(REPORT.toByteArray()));

    var worker = ConsumerServiceGrpc.newBlockingStub(channel);
    worker
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(signature))
        .setTaskStatus(REPORT);

    assertThat(intake.requests).hasSize(1);
    assertFails(
        () -> worker.setTaskStatus(REPORT), Status.Code.UNAUTHENTICATED, "Authentication failed");
    assertThat(
            HealthGrpc.newBlockingStub(channel)
                .check(HealthCheckRequest.getDefaultInstance())
                .getStatus())
        .isEqualTo(ServingStatus.SERVING);
  }

  @Test
  void distrustingClientDisconnectsAndIsLogged() {
    GrpcServer server = serve(LOCAL, Optional.empty(), List.of());

    assertThat(report(connect(server, strangers, Optional.empty())).getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);

    assertLogged("certificate_unknown");
    assertServes(server, Optional.empty());
  }

  @Test
  void clientWithAnotherServerNameDisconnects() {
    GrpcServer server = serve("broker.example", Optional.empty(), List.of());

    assertThat(report(connect(server, authority, Optional.empty())).getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);

    assertLogged("certificate_unknown");
  }

  @Test
  void requiresClientCertificates() {
    GrpcServer server =
        serve(LOCAL, Optional.of(workers.write(dir.resolve("workers.pem"))), List.of());

    assertServes(server, Optional.of(workers.issue(dir, "worker", "worker")));
    assertThat(report(connect(server, authority, Optional.empty())).getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);
    assertLogged("Empty client certificate chain");
    Issued stranger = strangers.issue(dir, "stranger", "worker");
    assertThat(report(connect(server, authority, Optional.of(stranger))).getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(intake.requests).hasSize(1);
    assertServes(server, Optional.of(workers.issue(dir, "other-worker", "worker")));
  }

  @Test
  void plaintextClientIsRejectedAndTheServerSurvives() throws Exception {
    GrpcServer server = serve(LOCAL, Optional.empty(), List.of());

    assertThat(report(connect(server)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);

    assertLogged("it does not speak TLS");
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.getOutputStream().write(new byte[] {0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0});
    }
    assertServes(server, Optional.empty());
  }

  @Test
  void tlsClientIsRejectedByAPlaintextServer() {
    GrpcServer server = serve(false);

    assertThat(report(connect(server, authority, Optional.empty())).getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);

    worker(server).setTaskStatus(REPORT);
  }

  private void assertServes(GrpcServer server, Optional<Issued> client) {
    int before = intake.requests.size();
    ConsumerServiceGrpc.newBlockingStub(connect(server, authority, client)).setTaskStatus(REPORT);
    assertThat(intake.requests).hasSize(before + 1);
  }

  private void assertLogged(String reason) {
    await()
        .atMost(60, SECONDS)
        .untilAsserted(() ->
            assertThat(log.events())
                .extracting(ILoggingEvent::getFormattedMessage)
                .anySatisfy(line ->
                    assertThat(line)
                        .startsWith("Refused a gRPC connection: the TLS handshake with /127.0.0.1:")
                        .contains(reason)));
  }

  private static Status report(ManagedChannel channel) {
    return failure(() -> ConsumerServiceGrpc.newBlockingStub(channel).setTaskStatus(REPORT));
  }

  private GrpcServer serve(String name, Optional<Path> clients, List<String> secrets) {
    TlsContext tls =
        TlsContext.server(files(Optional.of(authority.issue(dir, "broker", name)), clients));
    return serve(
        new GrpcOptions(anyPort(), secrets, true, GrpcOptions.Limits.DEFAULT, Optional.of(tls)));
  }

  private ManagedChannel connect(
      GrpcServer server, CertificateAuthority trusted, Optional<Issued> identity) {
    Path ca = trusted.write(dir.resolve("trusted.pem"));
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(LOCAL, server.port())
            .sslContext(TlsContext.client(files(identity, Optional.of(ca))))
            .build();
    channels.add(channel);
    return channel;
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
