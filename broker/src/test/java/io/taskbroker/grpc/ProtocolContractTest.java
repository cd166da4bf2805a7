package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import io.taskbroker.Documents;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.WorkerMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The `.proto` files of `taskbroker.v1` keep what they once had, as
/// `proto/contract/taskbroker.v1.txt` records it (docs/protocol.md, Evolution).
final class ProtocolContractTest {
  private static final String PROPERTY = "taskbroker.docs";
  private static final String RECORD =
      "mvn -q test -pl proto,testkit,broker -Dtest=ProtocolContractTest"
          + " -Dsurefire.failIfNoSpecifiedTests=false -D"
          + PROPERTY
          + "=write";
  private static final Path RECORDED = Documents.root().resolve("proto/contract/taskbroker.v1.txt");
  private static final List<FileDescriptorProto> FILES =
      Stream.of(
              Task.getDescriptor(),
              EnqueueRequest.getDescriptor(),
              WorkerMessage.getDescriptor(),
              Schedule.getDescriptor())
          .map(type -> type.getFile())
          .map(FileDescriptor::toProto)
          .toList();

  @Test
  void everyFileIsExamined() throws IOException {
    Path sources = Documents.root().resolve("proto/src/main/protobuf");
    try (Stream<Path> files = Files.list(sources.resolve("taskbroker/v1"))) {
      assertThat(FILES)
          .extracting(FileDescriptorProto::getName)
          .containsExactlyInAnyOrderElementsOf(
              files.map(file -> sources.relativize(file).toString()).toList());
    }
  }

  @Test
  void nothingThatPeersUseIsChangedAndAdditionsAreRecorded() throws IOException {
    ProtocolContract now = ProtocolContract.of(FILES);
    ProtocolContract recorded = new ProtocolContract(new TreeSet<>(Files.readAllLines(RECORDED)));
    assertThat(recorded.without(now))
        .as("what peers of taskbroker.v1 use and is gone: breaking changes are a taskbroker.v2")
        .isEmpty();
    if (System.getProperty(PROPERTY, "").equals("write")) {
      Files.writeString(RECORDED, String.join("\n", now.lines()) + "\n");
    } else {
      assertThat(now.without(recorded))
          .as("additions, which are to be recorded by: " + RECORD)
          .isEmpty();
    }
  }

  static Stream<Arguments> breaks() {
    return Stream.of(
        breaks("field removed", file -> file.getMessageTypeBuilder(1).removeField(0)),
        breaks(
            "field renumbered",
            file -> file.getMessageTypeBuilder(1).getFieldBuilder(0).setNumber(99)),
        breaks(
            "field renamed",
            file -> file.getMessageTypeBuilder(1).getFieldBuilder(1).setName("key")),
        breaks(
            "field of another type",
            file ->
                file.getMessageTypeBuilder(1)
                    .getFieldBuilder(1)
                    .setType(FieldDescriptorProto.Type.TYPE_BYTES)),
        breaks(
            "field of another message",
            file ->
                file.getMessageTypeBuilder(1)
                    .getFieldBuilder(0)
                    .setTypeName(".taskbroker.v1.RetryPolicy")),
        breaks(
            "field repeated",
            file ->
                file.getMessageTypeBuilder(1)
                    .getFieldBuilder(1)
                    .setLabel(FieldDescriptorProto.Label.LABEL_REPEATED)),
        breaks(
            "presence lost",
            file -> file.getMessageTypeBuilder(1).getFieldBuilder(2).clearProto3Optional()),
        breaks("message removed", file -> file.removeMessageType(2)),
        breaks("message renamed", file -> file.getMessageTypeBuilder(2).setName("Answer")),
        breaks("value removed", file -> file.getEnumTypeBuilder(0).removeValue(1)),
        breaks(
            "value renumbered", file -> file.getEnumTypeBuilder(0).getValueBuilder(1).setNumber(9)),
        breaks(
            "value renamed", file -> file.getEnumTypeBuilder(0).getValueBuilder(1).setName("DONE")),
        breaks("enumeration removed", file -> file.removeEnumType(0)),
        breaks("method removed", file -> file.getServiceBuilder(0).removeMethod(0)),
        breaks(
            "method of another request",
            file ->
                file.getServiceBuilder(0)
                    .getMethodBuilder(0)
                    .setInputType(".taskbroker.v1.GetRequest")),
        breaks(
            "method that streams",
            file -> file.getServiceBuilder(0).getMethodBuilder(0).setServerStreaming(true)),
        breaks("service removed", file -> file.removeService(0)),
        breaks("package renamed", file -> file.setPackage("taskbroker.v2")));
  }

  private static Arguments breaks(String name, Consumer<FileDescriptorProto.Builder> change) {
    return Arguments.of(name, change);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("breaks")
  void aBreakingChangeIsFound(String name, Consumer<FileDescriptorProto.Builder> change) {
    FileDescriptorProto.Builder changed = FILES.get(1).toBuilder();
    change.accept(changed);
    ProtocolContract before = ProtocolContract.of(List.of(FILES.get(1)));
    assertThat(before.without(ProtocolContract.of(List.of(changed.build())))).as(name).isNotEmpty();
  }

  @Test
  void anAdditionBreaksNothing() {
    FileDescriptorProto.Builder added = FILES.get(1).toBuilder();
    added
        .getMessageTypeBuilder(1)
        .addFieldBuilder()
        .setName("more")
        .setNumber(77)
        .setType(FieldDescriptorProto.Type.TYPE_BOOL);
    added.addMessageTypeBuilder().setName("Other");
    added.getEnumTypeBuilder(0).addValueBuilder().setName("OTHER").setNumber(77);
    added
        .getServiceBuilder(0)
        .addMethod(FILES.get(1).getService(0).getMethod(0).toBuilder().setName("Other"));
    ProtocolContract before = ProtocolContract.of(List.of(FILES.get(1)));
    ProtocolContract after = ProtocolContract.of(List.of(added.build()));
    assertThat(before.without(after)).isEmpty();
    assertThat(after.without(before)).hasSize(4);
  }
}
