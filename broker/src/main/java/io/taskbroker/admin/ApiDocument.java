package io.taskbroker.admin;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Reference of the API for people, from the routes: `docs/admin-api.md`.
final class ApiDocument {
  private ApiDocument() {}

  static String markdown(List<Route> routes) {
    var text = new StringBuilder();
    text.append("# Admin API operations\n\n");
    text.append(
        "<!-- Written by AdminApiDocumentTest from io.taskbroker.admin: do not edit. -->\n\n");
    text.append(
        """
        How to turn the API on, who may call it, and what acts mean: [admin.md](admin.md). The
        complete schemas are in `/openapi.json` of the running broker.

        Bodies are JSON. Times are ISO 8601 in UTC. Empty values are left out. Every write needs a
        `reason` of 3 to 500 characters. A problem has the type `application/problem+json` (RFC
        9457); its `detail` says what to do. Status codes: 400 invalid, 401 not authenticated, 403
        not allowed, 404 not found, 405 method, 413 too large, 415 not JSON, 409 refused as things are, 429
        too many requests, 503 not available now, try again.
        """);
    for (Route route : routes) {
      text.append("\n## ").append(route.method()).append(' ').append(route.path()).append("\n\n");
      text.append(route.summary()).append(" Role: ").append(OpenApi.role(route)).append(".\n");
      if (!route.params().isEmpty()) {
        text.append("\n| parameter | type | meaning |\n|---|---|---|\n");
        route
            .params()
            .forEach(param ->
                text.append(
                    "| `%s` | %s | %s |\n".formatted(param.name(), param.type(), param.meaning())));
      }
      Class<?> body = route.body();
      if (body != null) {
        text.append("\nBody:\n\n```\n").append(shape(body, "")).append("\n```\n");
      }
      if (route.answer().isRecord()) {
        text.append("\nAnswer:\n\n```\n").append(shape(route.answer(), "")).append("\n```\n");
      }
    }
    return text.toString();
  }

  private static String shape(Type type, String indent) {
    if (type instanceof ParameterizedType generic) {
      Type last = generic.getActualTypeArguments()[generic.getActualTypeArguments().length - 1];
      return switch (generic.getRawType().getTypeName()) {
        case "java.util.List" -> "[" + shape(last, indent) + ", …]";
        case "java.util.Map" -> "{name: " + shape(last, indent) + ", …}";
        default -> shape(last, indent);
      };
    }
    if (type instanceof Class<?> record && record.isRecord()) {
      String deeper = indent + "  ";
      return Stream.of(record.getRecordComponents())
          .map(component ->
              deeper + name(component) + ": " + shape(component.getGenericType(), deeper))
          .collect(Collectors.joining(",\n", "{\n", "\n" + indent + "}"));
    }
    return switch (type.getTypeName()) {
      case "java.lang.String" -> "text";
      case "java.time.Instant" -> "time";
      case "boolean", "java.lang.Boolean" -> "boolean";
      case "int", "long", "java.lang.Integer", "java.lang.Long" -> "integer";
      case "double", "java.lang.Double" -> "number";
      default -> "any";
    };
  }

  private static String name(RecordComponent component) {
    return OpenApi.snake(component.getName()) + (component.getType() == Optional.class ? "?" : "");
  }
}
