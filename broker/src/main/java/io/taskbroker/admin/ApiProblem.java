package io.taskbroker.admin;

/// Request that is not answered as asked: an HTTP status, and what the caller can do (RFC 9457).
final class ApiProblem extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;
  private final String title;

  /// @param title of the class of problem
  /// @param detail what is wrong with this request, and what to do
  ApiProblem(int status, String title, String detail) {
    super(detail, null, false, false);
    this.status = status;
    this.title = title;
  }

  static ApiProblem invalid(String detail) {
    return new ApiProblem(400, "Invalid request", detail);
  }

  static ApiProblem unavailable(String detail) {
    return new ApiProblem(503, "Not available now", detail);
  }

  static ApiProblem tooMany(String detail) {
    return new ApiProblem(429, "Too many requests", detail);
  }

  int status() {
    return status;
  }

  /// Whether the caller may not do what it asks for.
  boolean isRefusal() {
    return status == 401 || status == 403;
  }

  String detail() {
    return String.valueOf(getMessage());
  }

  Body body() {
    return new Body("about:blank", title, status, detail());
  }

  /// Problem details of RFC 9457.
  ///
  /// @param detail what is wrong, and what to do
  record Body(String type, String title, int status, String detail) {}
}
