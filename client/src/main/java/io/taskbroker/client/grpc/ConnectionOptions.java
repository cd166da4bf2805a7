package io.taskbroker.client.grpc;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Addresses of brokers, credentials and timeout. Its text form hides the secret.
///
/// @param targets `host:port` each
/// @param secret signs requests, if given
/// @param trusted PEM file; the JVM's certificates if null
/// @param certificate PEM file of the client, with its `key`
/// @param enqueueTimeout of a call, repeats included
public record ConnectionOptions(
    List<String> targets,
    @Nullable String secret,
    boolean tls,
    @Nullable Path trusted,
    @Nullable Path certificate,
    @Nullable Path key,
    Duration enqueueTimeout) {
  public static final ConnectionOptions DEFAULT =
      new ConnectionOptions(List.of(), null, false, null, null, null, Duration.ofSeconds(30));

  public ConnectionOptions {
    targets = List.copyOf(targets);
  }

  public ConnectionOptions withTargets(List<String> targets) {
    return new ConnectionOptions(targets, secret, tls, trusted, certificate, key, enqueueTimeout);
  }

  public ConnectionOptions withSecret(String secret) {
    return new ConnectionOptions(targets, secret, tls, trusted, certificate, key, enqueueTimeout);
  }

  public ConnectionOptions withTls(
      @Nullable Path trusted, @Nullable Path certificate, @Nullable Path key) {
    return new ConnectionOptions(targets, secret, true, trusted, certificate, key, enqueueTimeout);
  }

  public ConnectionOptions withEnqueueTimeout(Duration timeout) {
    return new ConnectionOptions(targets, secret, tls, trusted, certificate, key, timeout);
  }

  @Override
  public String toString() {
    return "ConnectionOptions[targets=" + targets + ", tls=" + tls + "]";
  }
}
