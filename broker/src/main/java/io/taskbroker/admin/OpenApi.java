package io.taskbroker.admin;

import io.taskbroker.config.AdminConfig.Role;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// OpenAPI 3.1 document of the routes. The schemas come from the records that are sent, so that
/// they cannot differ from them. Immutable.
final class OpenApi {
  private static final String PROBLEM = "Problem";

  private final Map<String, Object> schemas = new TreeMap<>();

  private OpenApi() {}

  /// Operation that answers with the document of these routes and itself.
  static Route route(List<Route> routes) {
    List<Route> all = new ArrayList<>(routes);
    var document = new LinkedHashMap<String, Object>();
    Route own =
        new Route(
            "GET",
            "/openapi.json",
            Role.READ,
            "This document.",
            List.of(),
            null,
            Map.class,
            _ -> document);
    all.add(own);
    document.putAll(new OpenApi().document(all));
    return own;
  }

  private Map<String, Object> document(List<Route> routes) {
    schemas.put(PROBLEM, object(ApiProblem.Body.class));
    var paths = new TreeMap<String, Map<String, Object>>();
    for (Route route : routes) {
      paths
          .computeIfAbsent(route.path(), _ -> new TreeMap<>())
          .put(route.method().toLowerCase(Locale.ROOT), operation(route));
    }
    return ordered(
        "openapi", "3.1.0",
        "info",
            ordered(
                "title", "taskbroker admin API",
                "version", "1",
                "license", ordered("name", "Apache-2.0", "identifier", "Apache-2.0")),
        "paths", paths,
        "components",
            ordered(
                "schemas",
                schemas,
                "securitySchemes",
                ordered("token", ordered("type", "http", "scheme", "bearer"))),
        "security", List.of(Map.of("token", List.of()), Map.of()));
  }

  private Map<String, Object> operation(Route route) {
    var operation = new LinkedHashMap<String, Object>();
    operation.put("operationId", operationId(route));
    operation.put("summary", route.summary());
    operation.put("description", "Needs the role " + role(route) + ".");
    List<Object> parameters = new ArrayList<>();
    int brace = route.path().indexOf('{');
    if (brace >= 0) {
      String name = route.path().substring(brace + 1, route.path().indexOf('}'));
      parameters.add(
          ordered(
              "name", name, "in", "path", "required", true, "schema", ordered("type", "string")));
    }
    for (Route.Param param : route.params()) {
      parameters.add(
          ordered(
              "name", param.name(),
              "in", "query",
              "description", param.meaning(),
              "schema", ordered("type", param.type())));
    }
    if (!parameters.isEmpty()) {
      operation.put("parameters", parameters);
    }
    if (route.body() != null) {
      operation.put("requestBody", ordered("required", true, "content", json(route.body())));
    }
    operation.put(
        "responses",
        ordered(
            "200", ordered("description", "Done.", "content", json(route.answer())),
            "default",
                ordered(
                    "description",
                    "A problem; `detail` says what to do.",
                    "content",
                    ordered("application/problem+json", ordered("schema", reference(PROBLEM))))));
    return operation;
  }

  static String role(Route route) {
    return "`" + route.role().name().toLowerCase(Locale.ROOT) + "`";
  }

  private static String operationId(Route route) {
    return route.method().toLowerCase(Locale.ROOT)
        + route.path().replaceAll("[^A-Za-z0-9]+", "_").replaceAll("_$", "");
  }

  private Map<String, Object> json(Class<?> type) {
    return ordered("application/json", ordered("schema", schema(type)));
  }

  private Map<String, Object> schema(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type last = generic.getActualTypeArguments()[generic.getActualTypeArguments().length - 1];
      if (generic.getRawType() == List.class) {
        return ordered("type", "array", "items", schema(last));
      }
      if (generic.getRawType() == Map.class) {
        return ordered("type", "object", "additionalProperties", schema(last));
      }
      return schema(last); // Optional
    }
    if (type == String.class) {
      return ordered("type", "string");
    }
    if (type == Instant.class) {
      return ordered("type", "string", "format", "date-time");
    }
    if (type == boolean.class || type == Boolean.class) {
      return ordered("type", "boolean");
    }
    if (type == int.class || type == Integer.class || type == long.class || type == Long.class) {
      return ordered("type", "integer");
    }
    if (type == double.class || type == Double.class) {
      return ordered("type", "number");
    }
    if (type instanceof Class<?> record && record.isRecord()) {
      String name = name(record);
      if (!schemas.containsKey(name)) {
        schemas.put(name, Map.of()); // it may contain itself
        schemas.put(name, object(record));
      }
      return reference(name);
    }
    return type == Map.class ? ordered("type", "object") : new LinkedHashMap<>();
  }

  /// Bodies of requests are named apart from those of answers.
  private static String name(Class<?> record) {
    return record.getEnclosingClass() == Bodies.class
        ? record.getSimpleName() + "Request"
        : record.getSimpleName();
  }

  private Map<String, Object> object(Class<?> record) {
    var properties = new LinkedHashMap<String, Object>();
    List<String> required = new ArrayList<>();
    for (RecordComponent component : record.getRecordComponents()) {
      String name = snake(component.getName());
      properties.put(
          name,
          name.equals("reason") && record.getEnclosingClass() == Bodies.class
              ? ordered(
                  "type", "string",
                  "minLength", AdminHandler.LEAST_REASON,
                  "maxLength", AdminHandler.LONGEST_REASON)
              : schema(component.getGenericType()));
      if (component.getType() != Optional.class) {
        required.add(name);
      }
    }
    return ordered(
        "type",
        "object",
        "properties",
        properties,
        "required",
        required,
        "additionalProperties",
        false);
  }

  static String snake(String name) {
    return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }

  private static Map<String, Object> reference(String name) {
    return ordered("$ref", "#/components/schemas/" + name);
  }

  private static Map<String, Object> ordered(Object... pairs) {
    var map = new LinkedHashMap<String, Object>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }
}
