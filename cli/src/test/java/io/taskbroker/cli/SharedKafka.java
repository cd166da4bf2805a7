package io.taskbroker.cli;

import io.taskbroker.testkit.EmbeddedKafka;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// Extension that provides a [KafkaView] of one shared Kafka, started for the first test and
/// stopped after the last; a test that stops Kafka needs its own.
final class SharedKafka implements ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(SharedKafka.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == KafkaView.class;
  }

  @Override
  public KafkaView resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .computeIfAbsent(Running.class, _ -> Running.start(), Running.class)
        .view;
  }

  private record Running(Path dir, EmbeddedKafka kafka, KafkaView view) implements AutoCloseable {
    static Running start() {
      try {
        Path dir = Files.createTempDirectory("shared-kafka");
        var kafka = EmbeddedKafka.start(dir);
        return new Running(dir, kafka, new KafkaView(kafka.bootstrap()));
      } catch (IOException e) {
        throw new UncheckedIOException("No folder for Kafka", e);
      }
    }

    @Override
    public void close() throws IOException {
      view.close();
      kafka.close();
      Files.walkFileTree(
          dir,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
                throws IOException {
              Files.delete(folder);
              return FileVisitResult.CONTINUE;
            }
          });
    }
  }
}
