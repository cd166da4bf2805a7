package io.taskbroker.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Loads configurations from text.
final class Configs {
  private Configs() {}

  static BrokerConfig defaults() {
    return ConfigLoader.load(Optional.empty(), Map.of());
  }

  static BrokerConfig yaml(String text) {
    return load(text, Map.of(), new ArrayList<>());
  }

  static BrokerConfig load(String text, Map<String, String> environment, List<String> warnings) {
    try {
      Path file = Files.createTempFile("taskbroker", ".yaml");
      try {
        Files.writeString(file, text);
        return ConfigLoader.load(Optional.of(file), environment, UTF_8, warnings::add);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
