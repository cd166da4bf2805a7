package io.taskbroker.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/// The jar that `-javaagent` wants for an agent of the class path: it has nothing but the name.
final class AgentJar {
  private AgentJar() {}

  /// The JVM option that starts an agent.
  ///
  /// @param dir where the jar is made, if it is not there
  static String option(Path dir, Class<?> agent, String argument) throws IOException {
    Path jar = dir.resolve(agent.getSimpleName() + ".jar");
    if (!Files.exists(jar)) {
      var manifest = new Manifest();
      manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
      manifest.getMainAttributes().putValue("Premain-Class", agent.getName());
      try (var out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
        out.finish();
      }
    }
    return "-javaagent:%s=%s".formatted(jar, argument);
  }
}
