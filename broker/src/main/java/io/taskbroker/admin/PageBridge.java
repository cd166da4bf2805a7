package io.taskbroker.admin;

import io.taskbroker.admin.web.PageAccess;
import java.util.Locale;
import java.util.Optional;
import org.eclipse.jetty.server.Request;
import tools.jackson.databind.json.JsonMapper;

/// The API as its web page sees it. Thread-safe.
final class PageBridge implements PageAccess {
  private final Authenticator authenticator;
  private final ReadApi reads;
  private final JsonMapper json;

  PageBridge(Authenticator authenticator, ReadApi reads, JsonMapper json) {
    this.authenticator = authenticator;
    this.reads = reads;
    this.json = json;
  }

  @Override
  public Optional<Identity> caller(Request request) {
    try {
      return Optional.of(identity(authenticator.caller(request)));
    } catch (ApiProblem _) {
      return Optional.empty();
    }
  }

  @Override
  public Optional<Identity> bearer(String token, String address) {
    return authenticator.bearer(token, address).map(PageBridge::identity);
  }

  private static Identity identity(Caller caller) {
    return new Identity(caller.name(), caller.role().name().toLowerCase(Locale.ROOT));
  }

  @Override
  public byte[] overview() throws InterruptedException {
    return json.writeValueAsBytes(reads.overview());
  }
}
