package io.taskbroker.config;

import static io.taskbroker.config.AddressTypes.ip;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.filledSecretText;
import static io.taskbroker.config.KeyType.integer;
import static io.taskbroker.config.KeyType.list;

import java.net.InetAddress;
import java.util.List;

/// Configuration keys: gRPC server, and settings shared with the push client.
final class GrpcKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("gRPC", "The gRPC server, and settings shared with the push client");

  static final Key<BrokerConfig, InetAddress> GRPC_ADDR =
      TABLE.key(
          "grpc_addr",
          ip(),
          InetAddress.ofLiteral("0.0.0.0"),
          "Listen address of the gRPC server",
          c -> c.grpc().address());

  static final Key<BrokerConfig, Integer> GRPC_PORT =
      TABLE.key(
          "grpc_port",
          integer(0, 65_535),
          50_051,
          "Port of the gRPC server; 0 disables the server",
          c -> c.grpc().port());

  static final Key<BrokerConfig, List<Secret>> GRPC_SHARED_SECRET =
      TABLE.key(
          "grpc_shared_secret",
          list(filledSecretText()),
          List.of(),
          "Keys of request signatures: the first signs, any of them verifies; empty disables"
              + " signatures",
          c -> c.grpc().sharedSecrets());

  static final Key<BrokerConfig, Integer> GRPC_MAX_MESSAGE_SIZE =
      TABLE.key(
          "grpc_max_message_size",
          count(1),
          54_525_952,
          "Maximum size of a message to a worker, in bytes",
          c -> c.grpc().maxMessageSize());

  private GrpcKeys() {}
}
