package io.taskbroker.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/// Jar for `-javaagent` with an agent from the class path: its manifest names the agent's class.
final class AgentJar {
  private AgentJar() {}

  /// JVM option that starts an agent.
  ///
  /// @param dir folder of the jar, which is created if missing
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
