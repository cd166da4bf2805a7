package io.taskbroker.deliver;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/// DNS lookup of the addresses of a host name. Thread-safe; may block.
@FunctionalInterface
interface HostLookup {
  /// Lookup by the Java platform, including names with an underscore.
  HostLookup SYSTEM = host -> List.of(InetAddress.getAllByName(host));

  /// @throws UnknownHostException if the name has no address, or the lookup fails
  List<InetAddress> addresses(String host) throws UnknownHostException;
}
