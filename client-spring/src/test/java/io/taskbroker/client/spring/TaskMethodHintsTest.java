package io.taskbroker.client.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.client.TaskContext;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.javapoet.ClassName;

/// What an ahead-of-time build of an application learns of its task methods.
final class TaskMethodHintsTest {
  record Line(String article) {}

  record Receipt(String order, List<Line> lines) {}

  static class Receipts {
    @HandlesTask("send-receipt")
    void send(Receipt receipt, TaskContext context) {
      assertThat(context.id()).isNotEqualTo(receipt.order());
    }
  }

  @Test
  void aNativeImageMayCallTheMethodAndReadItsArgument() throws Exception {
    RuntimeHints hints = hintsOf(Receipts.class);
    assertThat(
            RuntimeHintsPredicates.reflection()
                .onMethodInvocation(
                    Receipts.class.getDeclaredMethod("send", Receipt.class, TaskContext.class)))
        .accepts(hints);
    for (Class<?> type : List.of(Receipt.class, Line.class)) {
      assertThat(
              RuntimeHintsPredicates.reflection()
                  .onConstructorInvocation(type.getDeclaredConstructors()[0]))
          .accepts(hints);
    }
    assertThat(
            RuntimeHintsPredicates.reflection()
                .onMethodInvocation(Line.class.getDeclaredMethod("article")))
        .accepts(hints);
  }

  @Test
  void otherBeansGetNoHints() {
    assertThat(RuntimeHintsPredicates.reflection().onType(Receipt.class))
        .rejects(hintsOf(Object.class));
  }

  private static RuntimeHints hintsOf(Class<?> bean) {
    try (var context = new GenericApplicationContext()) {
      context.registerBean(bean);
      var generation =
          new DefaultGenerationContext(
              new ClassNameGenerator(ClassName.get("shop", "Application")),
              new InMemoryGeneratedFiles());
      new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
      return generation.getRuntimeHints();
    }
  }
}
