package io.taskbroker.config;

import java.net.InetAddress;
import java.util.List;

/// gRPC server, and settings shared with the push client.
///
/// @param port 0 for no server
/// @param sharedSecrets keys of which any may have signed a request; the broker signs with the
///   first; empty for no authentication
/// @param maxMessageSize maximum size of a pushed message in bytes
/// @param serverTls TLS of the server; plaintext without a certificate
/// @param workerTls TLS of pushes to workers with https URLs
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
