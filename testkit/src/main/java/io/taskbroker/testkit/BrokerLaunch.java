package io.taskbroker.testkit;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Start parameters of a broker process: a JVM like this one with a main class. Immutable.
///
/// @param classPath as for `java -cp`
/// @param wrapper command that receives the JVM's command line as further arguments; usually empty
/// @param program main class and its arguments
/// @param port that the broker listens on
/// @param log file that both outputs of the process are appended to
public record BrokerLaunch(
    List<String> wrapper,
    String classPath,
    List<String> jvmOptions,
    List<String> program,
    Map<String, String> environment,
    int port,
    Path log) {
  private static final String MAIN = "io.taskbroker.cli.Main";
  private static final List<String> JVM_OPTIONS =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+UseSerialGC",
          "-Xmx256m",
          "-XX:+UseTransparentHugePages",
          "-XX:MetaspaceSize=64m",
          "-XX:TrimNativeHeapInterval=10000");

  public BrokerLaunch {
    wrapper = List.copyOf(wrapper);
    jvmOptions = List.copyOf(jvmOptions);
    program = List.copyOf(program);
    environment = Map.copyOf(environment);
  }

  /// The broker from the class path of this process, with a configuration file.
  public static BrokerLaunch ofThisClassPath(Path config, int port, Path log) {
    return of(System.getProperty("java.class.path"), config, port, log);
  }

  /// The broker as built, with a configuration file; `dist` holds its jars in `lib`.
  public static BrokerLaunch ofDistribution(Path dist, Path config, int port, Path log) {
    return of(dist.resolve("lib") + File.separator + "*", config, port, log);
  }

  private static BrokerLaunch of(String classPath, Path config, int port, Path log) {
    var program = List.of(MAIN, "serve", "--config", config.toString());
    return new BrokerLaunch(List.of(), classPath, JVM_OPTIONS, program, Map.of(), port, log);
  }

  /// Runs another main class, with its arguments and the same options.
  public BrokerLaunch withProgram(String... other) {
    return new BrokerLaunch(wrapper, classPath, jvmOptions, List.of(other), environment, port, log);
  }

  /// Adds JVM options; of contradicting options the last wins.
  public BrokerLaunch withJvmOptions(String... more) {
    var options = new ArrayList<>(jvmOptions);
    options.addAll(List.of(more));
    return new BrokerLaunch(wrapper, classPath, options, program, environment, port, log);
  }

  /// Adds a variable to the environment, which is inherited from this process.
  public BrokerLaunch withEnvironment(String name, String value) {
    var variables = new HashMap<>(environment);
    variables.put(name, value);
    return new BrokerLaunch(wrapper, classPath, jvmOptions, program, variables, port, log);
  }

  /// Starts the JVM through another command, which must exec it.
  public BrokerLaunch inside(String... command) {
    return new BrokerLaunch(
        List.of(command), classPath, jvmOptions, program, environment, port, log);
  }

  List<String> command() {
    var command = new ArrayList<>(wrapper);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvmOptions);
    command.add("-cp");
    command.add(classPath);
    command.addAll(program);
    return command;
  }

  /// Omits the environment, which may hold secrets.
  @Override
  public String toString() {
    return "BrokerLaunch[%s, port=%d, log=%s]".formatted(program, port, log);
  }
}
