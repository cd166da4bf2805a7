package io.taskbroker.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Key types of addresses: IP addresses, host and port, worker URLs. Checked as text only: no name
/// is resolved.
final class AddressTypes {
  private static final Pattern HOST_AND_PORT =
      Pattern.compile("(\\[[0-9a-fA-F:.%]+]|[^\\s:/\\[\\]]+):([0-9]{1,5})");
  private static final Pattern URL =
      Pattern.compile(
          "(?:http://(?:\\[[0-9a-fA-F:.]+]|[A-Za-z0-9._-]+)"
              + "|https://(?:\\[[0-9a-fA-F:.]+]|[A-Za-z0-9.-]+))(?::([0-9]{1,5}))?/?");

  private AddressTypes() {}

  static KeyType<InetAddress> ip() {
    return KeyType.leaf(
            "IP address",
            "must be an IP address, not a name",
            false,
            node ->
                KeyType.text(node)
                    .flatMap(text -> {
                      try {
                        return Optional.of(InetAddress.ofLiteral(text));
                      } catch (IllegalArgumentException _) {
                        return Optional.empty();
                      }
                    }))
        .showing(InetAddress::getHostAddress);
  }

  /// Host and port; the host is not resolved.
  static KeyType<InetSocketAddress> hostAndPort() {
    return KeyType.leaf(
            "host:port",
            "must be a host and a port such as 127.0.0.1:8126",
            false,
            node ->
                KeyType.text(node)
                    .map(HOST_AND_PORT::matcher)
                    .filter(Matcher::matches)
                    .filter(address -> Integer.parseInt(address.group(2)) <= 0xFFFF)
                    .map(address ->
                        InetSocketAddress.createUnresolved(
                            address.group(1), Integer.parseInt(address.group(2)))))
        .showing(address -> address.getHostString() + ":" + address.getPort());
  }

  /// `http` or `https` URL with host and port. Docker's names with an underscore are allowed for
  /// http only: no certificate can be verified for them.
  static KeyType<URI> url() {
    return KeyType.leaf(
            "URL",
            "must be a URL such as http://127.0.0.1:50052, or https://worker:50052 without _ in the"
                + " name",
            false,
            node -> KeyType.text(node).flatMap(AddressTypes::url))
        .showing(URI::toString);
  }

  private static Optional<URI> url(String text) {
    Matcher url = URL.matcher(text);
    if (!url.matches() || (url.group(1) != null && Integer.parseInt(url.group(1)) > 0xFFFF)) {
      return Optional.empty();
    }
    try {
      return Optional.of(new URI(text));
    } catch (URISyntaxException _) {
      return Optional.empty();
    }
  }
}
