package io.taskbroker.cli;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.ProtectionDomain;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/// Agent that steps the wall clock of one process, like NTP or an operator: the time that the
/// broker and Kafka's client read is offset by the content of a file. Monotonic time is unchanged.
/// An operating system cannot do that to a single process.
public final class SteppedClock {
  private static final ClassDesc HERE = ClassDesc.of(SteppedClock.class.getName());
  private static final ClassDesc SOURCE = ClassDesc.of(InstantSource.class.getName());
  private static volatile ByteBuffer offset = ByteBuffer.allocate(Long.BYTES);

  private SteppedClock() {}

  /// JVM option that makes a process read its clock through the file of [#set].
  static String option(Path dir, Path file) throws IOException {
    set(file, Duration.ZERO);
    return AgentJar.option(dir, SteppedClock.class, file.toString());
  }

  /// Sets the offset of the clock.
  static void set(Path file, Duration away) throws IOException {
    map(file).putLong(0, away.toMillis());
  }

  private static ByteBuffer map(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return channel.map(MapMode.READ_WRITE, 0, Long.BYTES);
    }
  }

  public static void premain(String file, Instrumentation instrumentation) throws IOException {
    offset = map(Path.of(file));
    instrumentation.addTransformer(new Replacement());
  }

  public static long currentTimeMillis() {
    return System.currentTimeMillis() + offset.getLong(0);
  }

  public static InstantSource system() {
    return () -> Instant.ofEpochMilli(currentTimeMillis());
  }

  /// Redirects the clock reads of the broker's classes and of Kafka's client to this class.
  private static final class Replacement implements ClassFileTransformer {
    @Override
    public byte @Nullable [] transform(
        @Nullable ClassLoader loader,
        String name,
        @Nullable Class<?> redefined,
        @Nullable ProtectionDomain domain,
        byte[] bytes) {
      boolean wanted =
          name.equals("org/apache/kafka/common/utils/SystemTime")
              || (name.startsWith("io/taskbroker/") && !name.startsWith("io/taskbroker/cli/"));
      if (loader == null || !wanted) {
        return null;
      }
      var format =
          ClassFile.of(
              ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(loader)));
      return format.transformClass(
          format.parse(bytes), ClassTransform.transformingMethodBodies(Replacement::replace));
    }

    private static void replace(CodeBuilder code, CodeElement element) {
      if (calls(element, System.class, "currentTimeMillis")) {
        code.invokestatic(HERE, "currentTimeMillis", MethodTypeDesc.of(ConstantDescs.CD_long));
      } else if (calls(element, InstantSource.class, "system")) {
        code.invokestatic(HERE, "system", MethodTypeDesc.of(SOURCE));
      } else {
        code.with(element);
      }
    }

    private static boolean calls(CodeElement element, Class<?> owner, String method) {
      return element instanceof InvokeInstruction call
          && call.name().equalsString(method)
          && call.owner().asSymbol().equals(ClassDesc.of(owner.getName()));
    }
  }
}
