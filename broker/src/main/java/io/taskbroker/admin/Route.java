package io.taskbroker.admin;

import io.taskbroker.config.AdminConfig.Role;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Operation of the API. The OpenAPI document and docs/admin-api.md are made from these.
///
/// @param path may have one part in braces
/// @param summary one line, with a full stop
/// @param body class of the request's body; null if there is none
/// @param answer class of the answer's body
record Route(
    String method,
    String path,
    Role role,
    String summary,
    List<Param> params,
    @Nullable Class<?> body,
    Class<?> answer,
    Handler handler) {

  /// Query parameter.
  ///
  /// @param type `string`, `integer` or `boolean`
  record Param(String name, String type, String meaning) {}

  /// Work of an operation; may block.
  @FunctionalInterface
  interface Handler {
    /// The body of the answer.
    ///
    /// @throws ApiProblem if there is none
    Object answer(ApiRequest request) throws InterruptedException;
  }

  boolean writes() {
    return !method.equals("GET");
  }

  /// Whether the path is that of this operation.
  boolean matches(String wanted) {
    int brace = path.indexOf('{');
    if (brace < 0) {
      return path.equals(wanted);
    }
    String prefix = path.substring(0, brace);
    String suffix = suffix();
    return wanted.length() > prefix.length() + suffix.length()
        && wanted.startsWith(prefix)
        && wanted.endsWith(suffix)
        && variable(wanted).indexOf('/') < 0;
  }

  private String suffix() {
    return path.substring(path.indexOf('}') + 1);
  }

  /// The part of the path that is in braces; empty if there is none.
  String variable(String wanted) {
    int brace = path.indexOf('{');
    return brace < 0 ? "" : wanted.substring(brace, wanted.length() - suffix().length());
  }
}
