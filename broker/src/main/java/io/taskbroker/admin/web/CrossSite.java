package io.taskbroker.admin.web;

import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;

/// Recognises requests that a browser makes for the page of another site. Other clients send none
/// of these headers.
public final class CrossSite {
  private static final String FETCH_SITE = "Sec-Fetch-Site";

  private CrossSite() {}

  /// Whether another site's page makes the request, or one that the browser does not name.
  public static boolean isForeign(Request request) {
    String site = request.getHeaders().get(FETCH_SITE);
    if (site != null) {
      return !site.equals("same-origin") && !site.equals("none");
    }
    String origin = request.getHeaders().get(HttpHeader.ORIGIN);
    String host = request.getHeaders().get(HttpHeader.HOST);
    return origin != null && !origin.replaceFirst("^https?://", "").equalsIgnoreCase(host);
  }
}
