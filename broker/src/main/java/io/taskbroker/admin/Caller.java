package io.taskbroker.admin;

import io.taskbroker.config.AdminConfig.Role;

/// Authenticated caller.
///
/// @param name of the token, the user or the certificate; `local` without authentication
/// @param address of the peer
record Caller(String name, Role role, String address) {
  boolean may(Role needed) {
    return role.compareTo(needed) >= 0;
  }
}
