package io.taskbroker.cli;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.AccessFlag;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Agent that kills its process, like SIGKILL, the n-th time it reaches a point. The broker's code
/// is unchanged; the libraries below it are instrumented. `-javaagent:JAR=POINT:N`.
public final class KillPoints {
  private static final ClassDesc HERE = ClassDesc.of(KillPoints.class.getName());
  private static final MethodTypeDesc TAKES_OBJECT =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_Object);
  private static final AtomicInteger left = new AtomicInteger();
  private static volatile @Nullable Point chosen;

  private KillPoints() {}

  /// Points at which a process may be killed.
  enum Point {
    /// Before a statement that changes a row, inside a transaction.
    STATEMENT,
    BEFORE_COMMIT,
    /// The transaction is durable, but unacknowledged.
    AFTER_COMMIT,
    BEFORE_PRODUCE,
    /// The record is sent to Kafka, but unacknowledged.
    AFTER_PRODUCE,
    BEFORE_OFFSET_COMMIT,
    AFTER_OFFSET_COMMIT
  }

  /// JVM option that kills a process at a point.
  static String option(Path dir, Point point, int times) throws IOException {
    return AgentJar.option(dir, KillPoints.class, point + ":" + times);
  }

  public static void premain(String argument, Instrumentation instrumentation) {
    String[] parts = argument.split(":", 2);
    left.set(Integer.parseInt(parts[1]));
    chosen = Point.valueOf(parts[0]);
    instrumentation.addTransformer(new Marker());
  }

  public static void executing(Object statement) {
    reached(Point.STATEMENT);
  }

  public static void beforeExec(Object sql) {
    if (isCommit(sql)) {
      reached(Point.BEFORE_COMMIT);
    }
  }

  public static void afterExec(Object sql) {
    if (isCommit(sql)) {
      reached(Point.AFTER_COMMIT);
    }
  }

  public static void beforeSend(Object message) {
    reached(Point.BEFORE_PRODUCE);
  }

  public static void afterSend(Object message) {
    reached(Point.AFTER_PRODUCE);
  }

  public static void beforeOffsets(Object offsets) {
    reached(Point.BEFORE_OFFSET_COMMIT);
  }

  public static void afterOffsets(Object offsets) {
    reached(Point.AFTER_OFFSET_COMMIT);
  }

  private static boolean isCommit(Object sql) {
    return sql instanceof String text && text.startsWith("commit");
  }

  private static void reached(Point point) {
    if (point == chosen && left.decrementAndGet() == 0) {
      Runtime.getRuntime().halt(137);
    }
  }

  /// Instruments library methods to call the methods above.
  private static final class Marker implements ClassFileTransformer {
    @Override
    public byte @Nullable [] transform(
        ClassLoader loader,
        String name,
        @Nullable Class<?> redefined,
        @Nullable ProtectionDomain domain,
        byte[] bytes) {
      return switch (name) {
        case "org/sqlite/core/DB" ->
            marked(
                loader,
                marked(loader, bytes, "executeUpdate", 2, "executing", null),
                "exec",
                2,
                "beforeExec",
                "afterExec");
        case "org/apache/kafka/clients/producer/KafkaProducer" ->
            marked(loader, bytes, "send", 2, "beforeSend", "afterSend");
        case "org/apache/kafka/clients/consumer/KafkaConsumer" ->
            marked(loader, bytes, "commitAsync", 2, "beforeOffsets", "afterOffsets");
        default -> null;
      };
    }

    private static byte[] marked(
        ClassLoader loader,
        byte[] bytes,
        String method,
        int parameters,
        String before,
        @Nullable String after) {
      var format =
          ClassFile.of(
              ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(loader)));
      ClassTransform marking =
          ClassTransform.transformingMethodBodies(
              each -> isIt(each, method, parameters), new Calls(before, after));
      return format.transformClass(format.parse(bytes), marking);
    }

    private static boolean isIt(MethodModel each, String method, int parameters) {
      return each.methodName().equalsString(method)
          && each.methodTypeSymbol().parameterCount() == parameters
          && !each.flags().has(AccessFlag.STATIC);
    }
  }

  /// Adds calls, with the first argument of a method, at its start and return.
  private record Calls(String before, @Nullable String after) implements CodeTransform {
    @Override
    public void atStart(CodeBuilder code) {
      code.aload(1).invokestatic(HERE, before, TAKES_OBJECT);
    }

    @Override
    public void accept(CodeBuilder code, CodeElement element) {
      if (after != null && element instanceof ReturnInstruction) {
        code.aload(1).invokestatic(HERE, after, TAKES_OBJECT);
      }
      code.with(element);
    }
  }
}
