package io.taskbroker.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.MethodDescriptor;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Client that sends malformed calls and foreign protocols to a broker's port; it never takes a
/// task. The seed determines what it sends. Not thread-safe.
public final class BadCaller {
  private static final int LARGER_THAN_TAKEN = (4 << 20) + 1;
  private static final int KINDS = 9;
  private static final int CONNECT_MILLIS = 1_000;
  private static final long ANSWERS_MILLIS = 5_000;

  private final String address;
  private final int port;
  private final Random random;

  public BadCaller(int port, long seed) {
    this.address = Ports.HOST + ":" + port;
    this.port = port;
    random = new Random(seed);
  }

  /// Makes the given number of calls, and a malformed connection for every ten of them.
  ///
  /// @return number of calls that got any reply within five seconds
  public int call(int calls) throws InterruptedException {
    var answered = new CountDownLatch(calls);
    try (var client = new BrokerClient(address, List.of())) {
      for (int i = 0; i < calls; i++) {
        call(client, i % KINDS, answered);
      }
      openMalformed(calls / 10);
      answered.await(ANSWERS_MILLIS, TimeUnit.MILLISECONDS);
    }
    return calls - (int) answered.getCount();
  }

  private void call(BrokerClient client, int kind, CountDownLatch answered) {
    MethodDescriptor<byte[], byte[]> set = RawMethods.SET_TASK_STATUS;
    MethodDescriptor<byte[], byte[]> batch = RawMethods.SET_BATCH_ACTIVATION_STATUS;
    MethodDescriptor<byte[], byte[]> method =
        switch (kind) {
          case 0, 1, 2, 3, 4 -> set;
          case 5, 6 -> batch;
          default -> RawMethods.GET_TASK;
        };
    byte[] request =
        switch (kind) {
          case 0 -> garbage(random.nextInt(1_000));
          case 1 -> report("nobody", random.nextInt(3));
          case 2 -> report("nobody", 99);
          case 3 -> report("nobody-" + random.nextLong(), 3 + random.nextInt(3));
          case 4 -> new byte[LARGER_THAN_TAKEN];
          case 5 -> garbage(random.nextInt(1_000));
          case 6 -> batch(100);
          case 7 -> garbage(20);
          default -> GetTaskRequest.newBuilder().setApplication("nobody").build().toByteArray();
        };
    client.call(method, request, (_, _) -> answered.countDown());
  }

  /// Opens connections that send something other than HTTP/2, or nothing.
  private void openMalformed(int connections) {
    var sockets = new ArrayList<Socket>();
    try {
      for (int i = 0; i < connections; i++) {
        var socket = new Socket();
        sockets.add(socket);
        socket.connect(Ports.address(port), CONNECT_MILLIS);
        switch (i % 3) {
          case 0 -> socket.getOutputStream().write(garbage(random.nextInt(1, 5_000)));
          case 1 -> socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8));
          default -> {}
        }
      }
    } catch (IOException _) {
      // The broker may close the connection.
    } finally {
      sockets.forEach(BadCaller::closeQuietly);
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException _) {
      // Already closed.
    }
  }

  private byte[] garbage(int length) {
    byte[] bytes = new byte[length + 1];
    random.nextBytes(bytes);
    bytes[0] = 0x0F; // not a valid wire type
    return bytes;
  }

  private static byte[] report(String id, int status) {
    return SetTaskStatusRequest.newBuilder().setId(id).setStatusValue(status).build().toByteArray();
  }

  private byte[] batch(int reports) {
    var batch = SetBatchActivationStatusRequest.newBuilder();
    for (int i = 0; i < reports; i++) {
      batch
          .addUpdatesBuilder()
          .setId("nobody-" + random.nextLong())
          .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE);
    }
    return batch.build().toByteArray();
  }
}
