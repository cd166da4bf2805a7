package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedOutputStream;
import com.sun.management.ThreadMXBean;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.netty.channel.embedded.EmbeddedChannel;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.ExplainRequest;
import io.taskbroker.protocol.v1.GetRequest;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.telemetry.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Messages that would take a hundred times their bytes when they are decoded: small elements, and
/// unknown fields, each with a number of its own (G7).
final class MessagesTest extends ServedTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int BYTES = 3 << 20;
  private static final MethodDescriptor<byte[], byte[]> METHOD =
      MethodDescriptor.newBuilder(RawMessage.MARSHALLER, RawMessage.MARSHALLER)
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName(WorkerService.NAME + "/Work")
          .build();

  @Test
  void g7SmallElementsAreCountedBeforeTheyAreDecoded() throws Exception {
    for (int list :
        new int[] {WorkerMessage.RESULTS_FIELD_NUMBER, WorkerMessage.HEARTBEAT_FIELD_NUMBER}) {
      int element = list == WorkerMessage.HEARTBEAT_FIELD_NUMBER ? Heartbeat.TASKS_FIELD_NUMBER : 2;
      byte[] elements = new byte[BYTES];
      for (int i = 0; i < elements.length; i += 2) {
        elements[i] = (byte) (element << 3 | 2);
      }
      assertThat(allocatedBy(field(list, elements), Status.Code.INVALID_ARGUMENT))
          .isLessThan(1 << 20);
    }
  }

  @Test
  void g7UnknownFieldsOfAWorkerAreSkipped() throws Exception {
    assertThat(allocatedBy(unknownFields(BYTES), null)).isLessThan(1 << 20);
  }

  @Test
  void g7ATaskThatIsTooLargeIsNotDecoded() throws Exception {
    byte[] request = field(EnqueueRequest.TASKS_FIELD_NUMBER, unknownFields(BYTES));
    long before = THREADS.getCurrentThreadAllocatedBytes();
    Enqueued read = EnqueueReader.read(request, 0);
    assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(1 << 20);
    assertThat(read.size()).isOne();
    assertThat(read.activations()).isEmpty();
  }

  @Test
  void g7LargeQuestionsAreRefused() {
    GrpcServer server = serve(false);
    var tasks = TaskServiceGrpc.newBlockingStub(connect(server));
    String large = "x".repeat(100_000);
    assertThat(failure(() -> tasks.get(GetRequest.newBuilder().setId(large).build())).getCode())
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(
            failure(() -> tasks.explain(ExplainRequest.newBuilder().setId(large).build()))
                .getCode())
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  /// Bytes that a worker's stream allocates for a message.
  private long allocatedBy(byte[] message, Status.@Nullable Code end) {
    var loop = new EmbeddedChannel();
    Connection connection =
        TestConnections.on(new RunningCalls(loop.eventLoop(), Duration.ofDays(1)));
    var call = new RecordedCall(METHOD, connection);
    var worker =
        new WorkerCall(
            call,
            connection,
            intake,
            InstantSource.system(),
            new WorkerOptions(
                "b", 4 << 20, Duration.ofSeconds(2), new WorkerOptions.Counts(new Metrics())));
    assertThat(connection.admit(call)).isTrue();
    worker.open();
    worker.onMessage(
        WorkerMessage.newBuilder().setHello(Hello.getDefaultInstance()).build().toByteArray());
    loop.runPendingTasks();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    worker.onMessage(message);
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    if (end == null) {
      assertThat(call.closed).isEmpty();
    } else {
      assertThat(call.closed).extracting(Status::getCode).containsExactly(end);
    }
    return allocated;
  }

  private static byte[] field(int number, byte[] content) throws IOException {
    var bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.writeByteArray(number, content);
    out.flush();
    return bytes.toByteArray();
  }

  private static byte[] unknownFields(int length) throws IOException {
    var bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    for (int number = 100_000; out.getTotalBytesWritten() < length; number++) {
      out.writeBool(number, true);
    }
    out.flush();
    return bytes.toByteArray();
  }
}
