package io.taskbroker.config;

import static io.taskbroker.config.AddressTypes.hostAndPort;
import static io.taskbroker.config.AddressTypes.ip;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.integer;
import static io.taskbroker.config.KeyType.list;
import static io.taskbroker.config.KeyType.map;
import static io.taskbroker.config.KeyType.oneOf;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Configuration keys: the admin API. The reference has none of them.
final class AdminKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Admin", "HTTP API of operators ([admin.md](admin.md))");

  static final Key<BrokerConfig, Optional<InetSocketAddress>> ADDR =
      TABLE.key(
          "admin.addr",
          optional(hostAndPort()),
          Optional.empty(),
          "Listen address of the admin API, such as `127.0.0.1:9470`; none for no API, port 0 for"
              + " any free port. Other than loopback only with tokens, a client CA or proxies",
          c -> c.admin().address());

  static final Key<BrokerConfig, Optional<Path>> TOKENS =
      TABLE.key(
          "admin.tokens",
          optional(path()),
          Optional.empty(),
          "File of bearer tokens, one a line: name, role (`read`, `operate`, `admin`), and the"
              + " SHA-256 of the token in hexadecimal",
          c -> c.admin().tokens());

  static final Key<BrokerConfig, Optional<Path>> TLS_CERTIFICATE =
      TABLE.key(
          "admin.tls_certificate",
          optional(path()),
          Optional.empty(),
          "PEM file with the certificate of the admin API and its chain; none for plaintext",
          c -> c.admin().tls().certificate());

  static final Key<BrokerConfig, Optional<Path>> TLS_KEY =
      TABLE.key(
          "admin.tls_key",
          optional(path()),
          Optional.empty(),
          "PEM file with the PKCS #8 key of that certificate",
          c -> c.admin().tls().key());

  static final Key<BrokerConfig, Optional<Path>> TLS_CLIENT_CA =
      TABLE.key(
          "admin.tls_client_ca",
          optional(path()),
          Optional.empty(),
          "PEM file of CA certificates; clients must present a certificate signed by one of them",
          c -> c.admin().tls().ca());

  static final Key<BrokerConfig, List<InetAddress>> PROXIES =
      TABLE.key(
          "admin.trusted_proxies",
          list(ip()),
          List.of(),
          "Addresses of proxies whose `admin.identity_header` is believed",
          c -> c.admin().proxies());

  static final Key<BrokerConfig, String> IDENTITY_HEADER =
      TABLE.key(
          "admin.identity_header",
          filledText(),
          "X-Auth-Request-Email",
          "Header in which a trusted proxy sends the name of the user it authenticated",
          c -> c.admin().identityHeader());

  static final Key<BrokerConfig, Map<String, AdminConfig.Role>> ROLES =
      TABLE.key(
          "admin.roles",
          map(oneOf(AdminConfig.Role.class)),
          Map.of(),
          "Role of each user of a proxy, and of the common name of each client certificate; `*` for"
              + " all others",
          c -> c.admin().roles());

  static final Key<BrokerConfig, Optional<Path>> AUDIT_FILE =
      TABLE.key(
          "admin.audit_file",
          optional(path()),
          Optional.empty(),
          "File that records each act before it is done, as JSON lines; `.audit.jsonl` beside"
              + " `store.sqlite.path` by default. Rotated at 16 MiB, four older files are kept",
          c -> c.admin().auditFile());

  static final Key<BrokerConfig, List<String>> REDACT =
      TABLE.key(
          "admin.redact",
          list(filledText()),
          List.of(
              "password",
              "passwd",
              "secret",
              "token",
              "authorization",
              "api_key",
              "apikey",
              "cookie",
              "credential"),
          "Arguments and headers whose names contain one of these texts, in any case, are not"
              + " shown",
          c -> c.admin().redact());

  static final Key<BrokerConfig, Integer> REQUESTS_PER_SECOND =
      TABLE.key(
          "admin.requests_per_second",
          integer(1, 10_000),
          50,
          "Requests of one address in a second; more are answered with 429",
          c -> c.admin().requestsPerSecond());

  static final Key<BrokerConfig, Boolean> READ_ONLY =
      TABLE.key(
          "admin.read_only",
          bool(),
          false,
          "Whether the admin API refuses every write, of any role, and the web page offers"
              + " none",
          c -> c.admin().readOnly());

  private AdminKeys() {}
}
