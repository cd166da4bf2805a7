package io.taskbroker.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/// Version and commit of this build; the POM is the only source of the version.
///
/// @param commit abbreviated, with `-dirty` if the work tree differed from it; `unknown` outside a
///   git checkout
public record BuildInfo(String version, String commit) {
  private static final String FILE = "build.properties";
  private static final String UNKNOWN = "unknown";
  private static final BuildInfo CURRENT = read();

  public static BuildInfo current() {
    return CURRENT;
  }

  private static BuildInfo read() {
    var properties = new Properties();
    try (InputStream file = BuildInfo.class.getResourceAsStream(FILE)) {
      if (file != null) {
        properties.load(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read " + FILE + " of this build", e);
    }
    return new BuildInfo(value(properties, "version"), value(properties, "commit"));
  }

  /// Value of a key; `unknown` if the build did not replace its placeholder.
  private static String value(Properties properties, String key) {
    String value = properties.getProperty(key, UNKNOWN);
    return value.isEmpty() || value.startsWith("${") ? UNKNOWN : value;
  }
}
