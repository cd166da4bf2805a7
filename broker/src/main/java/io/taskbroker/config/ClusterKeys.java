package io.taskbroker.config;

import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.oneOf;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;
import static io.taskbroker.config.KeyType.secretText;
import static io.taskbroker.config.KeyType.text;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Configuration keys: entries of `kafka_clusters`.
final class ClusterKeys {
  static final KeyTable<ClusterConfig> TABLE =
      new KeyTable<>("Clusters", "An entry of `kafka_clusters`");

  static final Key<ClusterConfig, String> CLUSTER_ADDRESS =
      TABLE.required(
          "address",
          filledText(),
          "127.0.0.1:9092",
          "Bootstrap servers, separated by commas",
          ClusterConfig::address);

  static final Key<ClusterConfig, Optional<String>> SECURITY_PROTOCOL =
      security(
          "security_protocol",
          oneOf(upperCased("plaintext", "ssl", "sasl_plaintext", "sasl_ssl"), ClusterKeys::lower),
          "Security protocol of connections to the cluster",
          ClusterConfig.Security::protocol);

  static final Key<ClusterConfig, Optional<String>> SASL_MECHANISM =
      security(
          "sasl_mechanism",
          oneOf(upperCased("plain", "scram-sha-256", "scram-sha-512"), ClusterKeys::lower),
          "SASL mechanism",
          ClusterConfig.Security::mechanism);

  static final Key<ClusterConfig, Optional<String>> SASL_USERNAME =
      security("sasl_username", text(), "SASL user name", ClusterConfig.Security::username);

  static final Key<ClusterConfig, Optional<Secret>> SASL_PASSWORD =
      security("sasl_password", secretText(), "SASL password", ClusterConfig.Security::password);

  static final Key<ClusterConfig, Optional<Path>> SSL_CA_LOCATION =
      security(
          "ssl_ca_location",
          path(),
          "PEM file of trusted CA certificates",
          ClusterConfig.Security::caLocation);

  static final Key<ClusterConfig, Optional<Path>> SSL_CERTIFICATE_LOCATION =
      security(
          "ssl_certificate_location",
          path(),
          "PEM file with the client's certificate and its chain",
          ClusterConfig.Security::certificateLocation);

  static final Key<ClusterConfig, Optional<Path>> SSL_KEY_LOCATION =
      security(
          "ssl_key_location",
          path(),
          "PEM file with the client's PKCS #8 key",
          ClusterConfig.Security::keyLocation);

  private ClusterKeys() {}

  private static <T> Key<ClusterConfig, Optional<T>> security(
      String path,
      KeyType<T> type,
      String meaning,
      Function<ClusterConfig.Security, Optional<T>> in) {
    return TABLE.key(
        path, optional(type), Optional.empty(), meaning, cluster -> in.apply(cluster.security()));
  }

  private static Map<String, String> upperCased(String... words) {
    var map = new LinkedHashMap<String, String>();
    for (String word : words) {
      map.put(word, word.toUpperCase(Locale.ROOT));
    }
    return map;
  }

  private static Object lower(String word) {
    return word.toLowerCase(Locale.ROOT);
  }
}
