package io.taskbroker.admin;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Request of an authenticated caller, with typed access to its parameters and its body.
///
/// @param variable the part of the path in braces; empty if there is none
/// @param query parameters by name; unknown ones were refused
@SuppressWarnings("ArrayRecordComponent") // never compared
record ApiRequest(
    Caller caller, String variable, Map<String, String> query, byte[] content, JsonMapper json) {
  private static final int LONGEST = 1_024;

  Optional<String> text(String name) {
    return Optional.ofNullable(query.get(name)).filter(value -> !value.isEmpty());
  }

  Optional<Long> number(String name, long min, long max) {
    return text(name)
        .map(value -> {
          try {
            long number = Long.parseLong(value);
            if (number >= min && number <= max) {
              return number;
            }
          } catch (NumberFormatException _) {
            // reported below
          }
          throw ApiProblem.invalid(name + " must be a whole number from " + min + " to " + max);
        });
  }

  Optional<Boolean> flag(String name) {
    return text(name)
        .map(value ->
            switch (value) {
              case "true" -> true;
              case "false" -> false;
              default -> throw ApiProblem.invalid(name + " must be true or false");
            });
  }

  /// The decoded body.
  <T> T body(Class<T> type) {
    try {
      @Nullable T body = json.readValue(content, type);
      if (body == null) {
        throw ApiProblem.invalid("The body must be a JSON object");
      }
      return body;
    } catch (JacksonException e) {
      throw ApiProblem.invalid("The body is not as documented: " + e.getOriginalMessage());
    }
  }

  /// Refuses parameters that the operation does not have: a misspelt filter must not match all.
  void requireKnown(Set<String> known) {
    query.forEach((name, value) -> {
      if (!known.contains(name)) {
        throw ApiProblem.invalid(
            "There is no parameter '"
                + (name.length() > 80 ? name.substring(0, 80) : name)
                + "'; known: "
                + String.join(", ", known.stream().sorted().toList()));
      }
      if (value.length() > LONGEST) {
        throw ApiProblem.invalid(name + " is longer than " + LONGEST + " characters");
      }
    });
  }
}
