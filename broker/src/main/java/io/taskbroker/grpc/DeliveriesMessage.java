package io.taskbroker.grpc;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Deliveries;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/// Encoder of a `BrokerMessage` with deliveries, which copies the bytes of their tasks as they are.
/// Not thread-safe.
final class DeliveriesMessage {
  private static final int MAX_BYTES = 256 << 10;
  private static final int DELIVERIES =
      tag(BrokerMessage.DELIVERIES_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
  private static final int DELIVERY =
      tag(Deliveries.DELIVERIES_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
  private static final int TASK =
      tag(
          io.taskbroker.protocol.v1.Delivery.TASK_FIELD_NUMBER,
          WireFormat.WIRETYPE_LENGTH_DELIMITED);
  private static final int TOKEN =
      tag(
          io.taskbroker.protocol.v1.Delivery.TOKEN_FIELD_NUMBER,
          WireFormat.WIRETYPE_LENGTH_DELIMITED);
  private static final int EPOCH =
      tag(AttemptToken.EPOCH_FIELD_NUMBER, WireFormat.WIRETYPE_FIXED64);
  private static final int NUMBER =
      tag(AttemptToken.NUMBER_FIELD_NUMBER, WireFormat.WIRETYPE_VARINT);

  private final List<Delivery> deliveries = new ArrayList<>();
  private int size;

  private static int tag(int field, int type) {
    return field << 3 | type;
  }

  /// Whether the message would not become large. The first delivery always has room.
  boolean hasRoomFor(Delivery delivery) {
    return deliveries.isEmpty() || size + delivery.payload().length <= MAX_BYTES;
  }

  void add(Delivery delivery) {
    deliveries.add(delivery);
    size += delimited(size(delivery));
  }

  byte[] bytes() {
    byte[] bytes = new byte[delimited(size)];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      out.writeUInt32NoTag(DELIVERIES);
      out.writeUInt32NoTag(size);
      for (Delivery delivery : deliveries) {
        write(out, delivery);
      }
      out.checkNoSpaceLeft();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes;
  }

  private static void write(CodedOutputStream out, Delivery delivery) throws IOException {
    byte[] task = delivery.payload();
    out.writeUInt32NoTag(DELIVERY);
    out.writeUInt32NoTag(size(delivery));
    out.writeUInt32NoTag(TASK);
    out.writeUInt32NoTag(task.length);
    out.writeRawBytes(task);
    out.writeUInt32NoTag(TOKEN);
    out.writeUInt32NoTag(tokenSize(delivery));
    out.writeUInt32NoTag(EPOCH);
    out.writeFixed64NoTag(delivery.epoch().value());
    out.writeUInt32NoTag(NUMBER);
    out.writeUInt64NoTag(delivery.number());
  }

  private static int size(Delivery delivery) {
    return delimited(delivery.payload().length) + delimited(tokenSize(delivery));
  }

  private static int tokenSize(Delivery delivery) {
    return 1 + Long.BYTES + 1 + CodedOutputStream.computeUInt64SizeNoTag(delivery.number());
  }

  /// Size of a field with contents of that size; all tags have one byte.
  private static int delimited(int contents) {
    return 1 + CodedOutputStream.computeUInt32SizeNoTag(contents) + contents;
  }
}
