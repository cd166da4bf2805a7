package io.taskbroker.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;

/// Prints the ends of what the processes wrote, the first time that something fails in a class.
final class LogsOfFailure
    implements AfterTestExecutionCallback, LifecycleMethodExecutionExceptionHandler {
  private static final int LINES = 30;

  private boolean printed;

  @Override
  public void afterTestExecution(ExtensionContext context) throws IOException {
    if (context.getExecutionException().isPresent()) {
      print();
    }
  }

  @Override
  public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable failure)
      throws Throwable {
    print();
    throw failure;
  }

  private void print() throws IOException {
    if (printed) {
      return;
    }
    printed = true;
    try (Stream<Path> files = Files.walk(Folders.ROOT)) {
      for (Path file : files.filter(LogsOfFailure::isLog).toList()) {
        List<String> lines = new String(Files.readAllBytes(file), UTF_8).lines().toList();
        System.err.println("--- the end of " + file);
        lines.subList(Math.max(0, lines.size() - LINES), lines.size()).forEach(System.err::println);
      }
    }
  }

  private static boolean isLog(Path file) {
    String name = file.getFileName().toString();
    return !file.startsWith(Folders.ROOT.resolve("kafka"))
        && (name.endsWith(".log") || name.endsWith(".jsonl"));
  }
}
