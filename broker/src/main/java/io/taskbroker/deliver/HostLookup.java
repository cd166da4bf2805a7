package io.taskbroker.deliver;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/// Lookup of the addresses of a host name. Thread-safe; may block.
@FunctionalInterface
interface HostLookup {
  /// Looks names up as the Java platform does, whatever the name: those with an underscore, too.
  HostLookup SYSTEM = host -> List.of(InetAddress.getAllByName(host));

  /// @throws UnknownHostException if the name has no address, or nobody can tell
  List<InetAddress> addresses(String host) throws UnknownHostException;
}
