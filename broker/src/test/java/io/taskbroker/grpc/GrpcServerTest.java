package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.spi.ILoggingEvent;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import io.taskbroker.LogCapture;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.wire.Signatures;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// gRPC server: authentication, limits, start and stop.
final class GrpcServerTest extends ServedTest {
  private static final String GET_TASK = "/" + ConsumerService.NAME + "/GetTask";
  private static final GetTaskRequest ANY =
      GetTaskRequest.newBuilder().setApplication("sentry").build();
  @RegisterExtension private final LogCapture log = LogCapture.of("io.taskbroker.grpc");

  private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);

  @Test
  void acceptsCallsSignedByAnySecret() {
    intake.answerWith(ACTIVATION);
    GrpcServer server = serve(false, "new", "a long secret value");

    for (String secret : List.of("new", "a long secret value")) {
      var worker = worker(server).withInterceptors(signature(sign(secret)));
      assertThat(worker.getTask(ANY).getTask().getId()).isEqualTo("a1");
    }
    var worker =
        worker(server)
            .withInterceptors(
                signature("556b2e74f2d5a1d0134b1f803c9bfaa8467bbd8e4cb510a9856c5e2ef2b66a21"));
    assertThat(worker.getTask(ANY).hasTask()).isTrue();
    assertThat(log.events())
        .as("rate-limited log of callers that sign with a later key")
        .extracting(ILoggingEvent::getFormattedMessage)
        .filteredOn(line -> line.contains("is signed with"))
        .singleElement()
        .asString()
        .contains("GetTask call from 127.0.0.1:", "key 2 of the 2 keys")
        .doesNotContain("secret value");
  }

  @Test
  void rejectsUnsignedCalls() {
    GrpcServer server = serve(false, "new", "old");
    List<ClientInterceptor> wrong =
        List.of(
            MetadataUtils.newAttachHeadersInterceptor(new Metadata()),
            signature(""),
            signature("not hexadecimal"),
            signature(sign("another")),
            signature(sign("new").substring(2)));

    for (ClientInterceptor interceptor : wrong) {
      assertFails(
          () -> worker(server).withInterceptors(interceptor).getTask(ANY),
          Status.Code.UNAUTHENTICATED,
          "Authentication failed");
    }
    assertFails(
        () ->
            worker(server)
                .withInterceptors(signature(sign("new")))
                .setTaskStatus(SetTaskStatusRequest.getDefaultInstance()),
        Status.Code.UNAUTHENTICATED,
        "Authentication failed");
    assertThat(intake.requests).isEmpty();
    assertThat(log.events())
        .extracting(ILoggingEvent::getFormattedMessage)
        .filteredOn(line -> line.contains("Authentication of a "))
        .hasSize(2)
        .anyMatch(line -> line.contains("it has no signature by any of the 2 keys"))
        .anyMatch(line -> line.contains("it is signed with none of the 2 keys"))
        .allMatch(line -> line.contains(" from 127.0.0.1:"));
  }

  @Test
  void acceptsCompressedRequests() {
    intake.answerWith(ACTIVATION);
    var worker = worker(serve(false, "new")).withCompression("gzip");

    var response = worker.withInterceptors(signature(sign("new"))).getTask(ANY);

    assertThat(response.hasTask()).isTrue();
    assertThat(((Command.Claim) intake.requests.remove()).application()).isEqualTo("sentry");
  }

  @Test
  void rejectsLargeRequestsAndContinues() {
    intake.answerWithNothing();
    var limits = new GrpcOptions.Limits(1_000, 100, 100, 100);
    var worker = worker(serve(new GrpcOptions(anyPort(), List.of(), false, limits)));

    for (String compression : List.of("identity", "gzip")) {
      Status status =
          failure(() -> worker.withCompression(compression).setTaskStatus(report(1_001)));
      assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }
    worker.setTaskStatus(report(900));

    assertThat(intake.requests).hasSize(1);
  }

  @Test
  void w14GarbageAffectsNoOtherClient() throws IOException {
    intake.answerWithNothing();
    GrpcServer server = serve(true, "secret");
    var worker =
        ConsumerServiceGrpc.newBlockingStub(connect(server))
            .withInterceptors(
                signature(
                    new Signatures(List.of("secret"))
                        .forPath("/" + ConsumerService.NAME + "/SetTaskStatus")
                        .sign(report(10).toByteArray())));
    worker.setTaskStatus(report(10));
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] noise = new byte[4_096];
    List<Socket> sockets = new ArrayList<>();

    for (int i = 0; i < 50; i++) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
      sockets.add(socket);
      random.nextBytes(noise);
      if (i % 2 == 0) {
        socket.getOutputStream().write(PREFACE);
      }
      if (i % 4 == 0) {
        // A HEADERS frame with random contents.
        socket.getOutputStream().write(new byte[] {0, 0, 0, 4, 0, 0, 0, 0, 0});
        socket.getOutputStream().write(new byte[] {0, 2, 0, 1, 5, 0, 0, 0, 1});
      }
      try {
        socket.getOutputStream().write(noise);
        socket.getOutputStream().flush();
      } catch (IOException _) {
        // the server has already closed the connection
      }
      worker.setTaskStatus(report(10));
    }
    for (Socket socket : sockets) {
      socket.close();
    }

    assertThat(intake.requests).as("seed %d", seed).hasSize(51);
    worker.setTaskStatus(report(10));
  }

  @Test
  void truncatedBodyIsHandled() throws IOException {
    intake.answerWithNothing();
    GrpcServer server = serve(true);
    var channel = connect(server);
    // Valid HTTP/2 with a body of 3 bytes, shorter than the 5-byte gRPC prefix.
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      var out = socket.getOutputStream();
      out.write(PREFACE);
      out.write(new byte[] {0, 0, 0, 4, 0, 0, 0, 0, 0});
      byte[] headers = RawHttp2.requestHeaders(GET_TASK);
      out.write(RawHttp2.frame(1, 4, 1, headers));
      out.write(RawHttp2.frame(0, 1, 1, new byte[] {0, 0, 0}));
      out.flush();
      assertThat(RawHttp2.readUntilStreamEnds(socket.getInputStream(), 1)).isTrue();
    }

    ConsumerServiceGrpc.newBlockingStub(channel).setTaskStatus(report(10));
    assertThat(intake.requests).hasSize(1);
  }

  @Test
  void enforcesTheConnectionLimit() throws IOException {
    intake.answerWithNothing();
    var limits = new GrpcOptions.Limits(1_000, 100, 100, 2);
    GrpcServer server = serve(new GrpcOptions(anyPort(), List.of(), true, limits));
    try (Socket first = open(server);
        Socket second = open(server)) {
      assertThat(isServed(first)).isTrue();
      assertThat(isServed(second)).isTrue();
      try (Socket third = open(server)) {
        assertThat(isServed(third)).isFalse();
      }
    }

    await()
        .untilAsserted(() -> {
          try (Socket fourth = open(server)) {
            assertThat(isServed(fourth)).isTrue();
          }
        });
  }

  @Test
  void cancelledCallKeepsItsEffect() throws Exception {
    GrpcServer server = serve(false);
    CompletableFuture<Status> ended = new CompletableFuture<>();
    Context.CancellableContext context = Context.current().withCancellation();
    Runnable call = () -> ended.complete(failure(() -> worker(server).setTaskStatus(report(10))));
    Thread caller = Thread.ofVirtual().start(context.wrap(call));
    Command.Report report = (Command.Report) intake.requests.take();

    context.cancel(null);
    assertThat(ended.get(60, SECONDS).getCode()).isEqualTo(Status.Code.CANCELLED);
    caller.join();
    await().until(() -> report.reply().isGone());
    report.reply().done(null);

    intake.answerWithNothing();
    worker(server).setTaskStatus(report(20));
    assertThat(((Command.Report) intake.requests.take()).updates().getFirst().id()).hasSize(20);
  }

  @Test
  void reportsWhyItCannotListen() {
    GrpcServer first = serve(false);
    InetSocketAddress taken = new InetSocketAddress(InetAddress.getLoopbackAddress(), first.port());
    GrpcServer second =
        new GrpcServer(new GrpcOptions(taken, List.of(), false), intake, new Metrics());

    assertThatThrownBy(second::start)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageStartingWith("Cannot listen for gRPC on localhost:" + first.port() + ": ")
        .hasMessageContaining("Address already in use");
    second.stop();
  }

  @ParameterizedTest
  @ValueSource(strings = {"192.0.2.1", "2001:db8:0:0:0:0:0:1", "no-such-host.invalid"})
  void namesTheInvalidAddress(String host) {
    GrpcServer server =
        new GrpcServer(
            new GrpcOptions(new InetSocketAddress(host, 50051), List.of(), false),
            intake,
            new Metrics());

    assertThatThrownBy(server::start)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(host)
        .hasMessageContaining(":50051")
        .message()
        .hasLineCount(1);
  }

  @Test
  void stopWaitsForCallsAnsweredInTime() throws Exception {
    GrpcServer server = serve(false);
    var worker = worker(server);
    CompletableFuture<Object> call =
        CompletableFuture.supplyAsync(() -> worker.setTaskStatus(report(10)));
    Command.Report report = (Command.Report) intake.requests.take();

    Thread stop = Thread.ofVirtual().start(server::stop);
    await()
        .untilAsserted(() ->
            assertThatThrownBy(
                    () -> new Socket(InetAddress.getLoopbackAddress(), server.port()).close())
                .isInstanceOf(IOException.class));
    report.reply().done(null);

    assertThat(call.get(60, SECONDS)).isNotNull();
    assertThat(stop.join(Duration.ofSeconds(60))).isTrue();
  }

  @Test
  void stopFailsUnansweredCalls() throws Exception {
    GrpcServer server = serve(false);
    var worker = worker(server);
    CompletableFuture<Object> call =
        CompletableFuture.supplyAsync(() -> worker.setTaskStatus(report(10)));
    Command.Report report = (Command.Report) intake.requests.take();

    server.stop();
    server.stop();

    assertThatThrownBy(() -> call.get(60, SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("UNAVAILABLE");
    report.reply().done(null);
  }

  @Test
  void optionsDoNotShowSecrets() {
    assertThat(new GrpcOptions(anyPort(), List.of("hidden"), true).toString())
        .doesNotContain("hidden");
  }

  private static SetTaskStatusRequest report(int idLength) {
    return SetTaskStatusRequest.newBuilder()
        .setId("x".repeat(idLength))
        .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
        .build();
  }

  private static Socket open(GrpcServer server) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket.setSoTimeout(60_000);
    return socket;
  }

  /// Whether the server sends its SETTINGS.
  private static boolean isServed(Socket socket) {
    try {
      socket.getOutputStream().write(PREFACE);
      socket.getOutputStream().write(new byte[] {0, 0, 0, 4, 0, 0, 0, 0, 0});
      InputStream in = socket.getInputStream();
      return in.read() >= 0;
    } catch (IOException _) {
      return false;
    }
  }

  private static String sign(String secret) {
    return new Signatures(List.of(secret)).forPath(GET_TASK).sign(ANY.toByteArray());
  }

  private static ClientInterceptor signature(String signature) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER), signature);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }
}
