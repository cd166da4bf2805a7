package io.taskbroker.config;

import static io.taskbroker.config.AddressTypes.ip;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.filledSecretText;
import static io.taskbroker.config.KeyType.integer;
import static io.taskbroker.config.KeyType.list;

import java.net.InetAddress;
import java.util.List;

/// The keys of an area: The gRPC server, and what it shares with the client that pushes.
final class GrpcKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("gRPC", "The gRPC server, and what it shares with the client that pushes");

  static final Key<BrokerConfig, InetAddress> GRPC_ADDR =
      TABLE.key(
          "grpc_addr",
          ip(),
          InetAddress.ofLiteral("0.0.0.0"),
          "The address that the gRPC server listens on",
          c -> c.grpc().address());

  static final Key<BrokerConfig, Integer> GRPC_PORT =
      TABLE.key(
          "grpc_port",
          integer(0, 65_535),
          50_051,
          "The port of the gRPC server; 0 for no server",
          c -> c.grpc().port());

  static final Key<BrokerConfig, List<Secret>> GRPC_SHARED_SECRET =
      TABLE.key(
          "grpc_shared_secret",
          list(filledSecretText()),
          List.of(),
          "Requests are signed with the first and accepted with any of these; none for no"
              + " signatures",
          c -> c.grpc().sharedSecrets());

  static final Key<BrokerConfig, Integer> GRPC_MAX_MESSAGE_SIZE =
      TABLE.key(
          "grpc_max_message_size",
          count(1),
          54_525_952,
          "Bytes of a message to a worker at most",
          c -> c.grpc().maxMessageSize());

  private GrpcKeys() {}
}
