package io.taskbroker.grpc;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumValueDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/// What peers of a protocol depend on: one line of text for each message, field, enumeration,
/// value, service and method. Whatever changes one of them breaks a peer. Immutable.
record ProtocolContract(SortedSet<String> lines) {
  static ProtocolContract of(Collection<FileDescriptorProto> files) {
    var lines = new TreeSet<String>();
    for (FileDescriptorProto file : files) {
      String scope = file.getPackage();
      file.getMessageTypeList().forEach(message -> add(lines, scope, message));
      file.getEnumTypeList().forEach(enumeration -> add(lines, scope, enumeration));
      file.getServiceList().forEach(service -> add(lines, scope, service));
    }
    return new ProtocolContract(lines);
  }

  /// What this one has and another does not.
  List<String> without(ProtocolContract other) {
    return lines.stream().filter(line -> !other.lines.contains(line)).toList();
  }

  private static void add(SortedSet<String> lines, String scope, DescriptorProto message) {
    String name = scope + "." + message.getName();
    lines.add("message " + name);
    for (FieldDescriptorProto field : message.getFieldList()) {
      lines.add(
          "field %s.%s = %d: %s%s"
              .formatted(
                  name, field.getName(), field.getNumber(), type(field), place(message, field)));
    }
    message.getNestedTypeList().forEach(nested -> add(lines, name, nested));
    message.getEnumTypeList().forEach(nested -> add(lines, name, nested));
  }

  private static String type(FieldDescriptorProto field) {
    String type =
        field.hasTypeName()
            ? field.getTypeName().substring(1)
            : field.getType().name().substring("TYPE_".length()).toLowerCase(java.util.Locale.ROOT);
    return field.getLabel() == FieldDescriptorProto.Label.LABEL_REPEATED
        ? "repeated " + type
        : type;
  }

  private static String place(DescriptorProto message, FieldDescriptorProto field) {
    if (field.getProto3Optional()) {
      return ", optional";
    }
    return field.hasOneofIndex()
        ? ", in " + message.getOneofDecl(field.getOneofIndex()).getName()
        : "";
  }

  private static void add(SortedSet<String> lines, String scope, EnumDescriptorProto enumeration) {
    String name = scope + "." + enumeration.getName();
    lines.add("enum " + name);
    for (EnumValueDescriptorProto value : enumeration.getValueList()) {
      lines.add("value %s.%s = %d".formatted(name, value.getName(), value.getNumber()));
    }
  }

  private static void add(SortedSet<String> lines, String scope, ServiceDescriptorProto service) {
    String name = scope + "." + service.getName();
    lines.add("service " + name);
    for (MethodDescriptorProto method : service.getMethodList()) {
      lines.add(
          "method %s/%s: %s%s to %s%s"
              .formatted(
                  name,
                  method.getName(),
                  method.getClientStreaming() ? "stream of " : "",
                  method.getInputType().substring(1),
                  method.getServerStreaming() ? "stream of " : "",
                  method.getOutputType().substring(1)));
    }
  }
}
