package io.taskbroker.admin.web;

import java.util.Optional;
import org.eclipse.jetty.server.Request;

/// Access of the page to the admin API. Thread-safe; methods may block.
public interface PageAccess {
  /// Caller of a request.
  ///
  /// @param role `read`, `operate` or `admin`
  record Identity(String name, String role) {}

  /// The caller, by whatever the API accepts; empty if it is not authenticated.
  Optional<Identity> caller(Request request);

  /// The owner of a bearer token; empty if it is unknown.
  Optional<Identity> bearer(String token, String address);

  /// The body of `GET /v1/overview` at this moment.
  ///
  /// @throws RuntimeException if the engine does not answer in time
  byte[] overview() throws InterruptedException;
}
