package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.taskbroker.wire.Signatures;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options of the commands that connect to a broker.
final class BrokerAddress {
  static final String DEFAULT_PORT = "50051";

  private static final int KEEP_ALIVE_SECONDS = 30;

  @Option(
      names = "--broker",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:" + DEFAULT_PORT,
      description = "Broker to connect to (default: ${DEFAULT-VALUE}).")
  private String address = "";

  @Option(
      names = "--secret",
      paramLabel = "SECRET",
      defaultValue = "${env:TASKBROKER_SECRET}",
      description = "A secret of grpc_shared_secret; better as TASKBROKER_SECRET.")
  private @Nullable String secret;

  ManagedChannel connect() {
    String target = address.startsWith(":") ? "127.0.0.1" + address : address;
    try {
      return NettyChannelBuilder.forTarget(target)
          .usePlaintext()
          .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
          .maxInboundMessageSize(Integer.MAX_VALUE)
          .build();
    } catch (IllegalArgumentException e) {
      throw new CommandException("--broker " + address + ": " + e.getMessage(), e);
    }
  }

  String address() {
    return address;
  }

  /// Signs one call.
  ///
  /// @param path of the method, which begins with a slash
  /// @param message of a call with one request; null for a stream
  ClientInterceptor signature(String path, byte @Nullable [] message) {
    Metadata headers = new Metadata();
    String key = secret;
    if (key != null && !key.isEmpty()) {
      byte[] signed = message;
      if (signed == null) {
        String now = Long.toString(System.currentTimeMillis());
        headers.put(Metadata.Key.of("taskbroker-signed-at", Metadata.ASCII_STRING_MARSHALLER), now);
        signed = now.getBytes(US_ASCII);
      }
      headers.put(
          Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER),
          new Signatures(List.of(key)).forPath(path).sign(signed));
    }
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }
}
