package io.taskbroker.config;

import io.taskbroker.config.ConfigNode.Section;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Loader of the broker configuration. Stateless.
public final class ConfigLoader {
  private static final Logger LOG = LoggerFactory.getLogger(ConfigLoader.class);

  private ConfigLoader() {}

  /// Merges `environment` over `file` over the defaults; logs a warning for each unknown key.
  ///
  /// @throws ConfigException with all problems
  public static BrokerConfig load(Optional<Path> file, Map<String, String> environment) {
    return load(file, environment, LOG::warn);
  }

  /// Variant with a warning callback, for callers whose log is not configured yet.
  ///
  /// @param warnings called with one line at a time
  public static BrokerConfig load(
      Optional<Path> file, Map<String, String> environment, Consumer<String> warnings) {
    return load(file, environment, PlatformEncoding.OWN, warnings);
  }

  /// @param encoding encoding in which the system passed the environment
  static BrokerConfig load(
      Optional<Path> file,
      Map<String, String> environment,
      Charset encoding,
      Consumer<String> warnings) {
    Section root = file.map(YamlFile::read).orElseGet(() -> Section.empty("defaults"));
    root.overlay(Environment.read(environment));
    var problems = new Problems();
    PlatformEncoding.check(environment, encoding, problems);
    KnownKeys.check(root, problems, warnings);
    OldKeys.move(root, warnings);
    BrokerConfig config = BrokerConfig.read(new Values(root, "", problems));
    problems.throwIfAny();
    return config;
  }
}
