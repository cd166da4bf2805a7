package io.taskbroker.config;

import java.net.InetAddress;
import java.util.List;

/// The gRPC server, and what it shares with the client that pushes.
///
/// @param port 0 for no server
/// @param sharedSecrets a request is good if it is signed with any of them; the broker signs with
///   the first; empty for no authentication
/// @param maxMessageSize bytes of a pushed message at most
/// @param serverTls of the server; plaintext if it has no certificate
/// @param workerTls of pushes to workers whose URL is one of https
public record GrpcConfig(
    InetAddress address,
    int port,
    List<Secret> sharedSecrets,
    int maxMessageSize,
    TlsConfig serverTls,
    TlsConfig workerTls) {
  static GrpcConfig read(Values values) {
    return new GrpcConfig(
        values.get(GrpcKeys.GRPC_ADDR),
        values.get(GrpcKeys.GRPC_PORT),
        values.get(GrpcKeys.GRPC_SHARED_SECRET),
        values.get(GrpcKeys.GRPC_MAX_MESSAGE_SIZE),
        TlsConfig.server(values),
        TlsConfig.worker(values));
  }
}
