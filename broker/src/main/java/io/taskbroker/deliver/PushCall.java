package io.taskbroker.deliver;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.PushOutcome;
import io.taskbroker.runtime.Deadlines.Deadline;
import io.taskbroker.wire.Signatures;
import org.jspecify.annotations.Nullable;

/// One activation on its way to a worker. Runs on the event loop.
final class PushCall extends ClientCall.Listener<byte[]> implements Runnable {
  static final MethodDescriptor<PushMessage, byte[]> METHOD =
      MethodDescriptor.newBuilder(PushMessage.Marshaller.MARSHALLER, Bytes.MARSHALLER)
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("sentry_protos.taskbroker.v1.WorkerService/PushTask")
          .build();

  /// What signatures are made with.
  static final String PATH = "/" + METHOD.getFullMethodName();

  private static final Metadata.Key<String> SIGNATURE =
      Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER);
  private static final CallOptions.Key<@Nullable PushCall> TRACED =
      CallOptions.Key.create("io.taskbroker.push");
  private static final CallOptions OPTIONS =
      CallOptions.DEFAULT.withStreamTracerFactory(new Traces());

  /// When it must have been answered.
  final Deadline<PushCall> deadline = new Deadline<>(this);

  private final PushLoop pushes;
  private final Endpoint endpoint;
  private final Delivery delivery;
  private long begunAt = System.nanoTime();
  private @Nullable ClientCall<PushMessage, byte[]> call;
  private @Nullable Channel used;
  private boolean begun;
  private boolean sent;
  private boolean answered;
  private boolean ended;

  PushCall(PushLoop pushes, Endpoint endpoint, Delivery delivery) {
    this.pushes = pushes;
    this.endpoint = endpoint;
    this.delivery = delivery;
  }

  Delivery delivery() {
    return delivery;
  }

  /// Begins to count the time of the call.
  ///
  /// @return nanoseconds since it was made
  long begin() {
    long madeAt = begunAt;
    begunAt = System.nanoTime();
    return begunAt - madeAt;
  }

  /// Nanoseconds since the call began.
  long nanos() {
    return System.nanoTime() - begunAt;
  }

  /// Sends.
  @Override
  public void run() {
    PushMessage message = new PushMessage(delivery.payload());
    String closed = pushes.closed();
    String tooLarge = pushes.tooLarge(message.length());
    if (closed != null) {
      pushes.tell(delivery, PushOutcome.UNREACHABLE, closed);
    } else if (tooLarge != null) {
      pushes.tell(delivery, PushOutcome.REFUSED, tooLarge);
    } else {
      send(message);
    }
  }

  private void send(PushMessage message) {
    pushes.began(this);
    try {
      Metadata headers = new Metadata();
      String signature = pushes.sign(message);
      if (signature != null) {
        headers.put(SIGNATURE, signature);
      }
      Channel channel = endpoint.channel();
      used = channel;
      ClientCall<PushMessage, byte[]> created =
          channel.newCall(METHOD, OPTIONS.withOption(TRACED, this));
      call = created;
      created.start(this, headers);
      // A second response would be an error, which is only found out by asking for it.
      created.request(2);
      created.sendMessage(message);
      created.halfClose();
    } catch (RuntimeException e) {
      abandon("Cannot send: " + e);
    }
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    // A channel also ends calls from the thread that looks up addresses.
    if (pushes.isCurrentThread()) {
      closed(status);
    } else {
      pushes.run(() -> closed(status));
    }
  }

  /// Ends the call without waiting for an answer any longer.
  void abandon(String why) {
    end(begun ? PushOutcome.UNANSWERED : PushOutcome.UNREACHABLE, why);
    ClientCall<PushMessage, byte[]> started = call;
    if (started != null) {
      started.cancel(why, null);
    }
  }

  private void closed(Status status) {
    PushOutcome outcome = PushStatusClassifier.of(status, begun, sent, answered);
    end(outcome, outcome == PushOutcome.ACCEPTED ? "" : PushStatusClassifier.detail(status));
  }

  private void end(PushOutcome outcome, String detail) {
    if (!ended) {
      ended = true;
      if (outcome == PushOutcome.UNREACHABLE) {
        endpoint.failed(used);
      }
      pushes.ended(this, outcome, detail);
    }
  }

  /// Sees whether a call reaches a connection, and whether its end came from there.
  private static final class Traces extends ClientStreamTracer.Factory {
    @Override
    public ClientStreamTracer newClientStreamTracer(
        ClientStreamTracer.StreamInfo info, Metadata headers) {
      PushCall call = info.getCallOptions().getOption(TRACED);
      if (call == null) {
        throw new IllegalStateException("A call without its push");
      }
      return new ClientStreamTracer() {
        @Override
        public void streamCreated(Attributes transport, Metadata metadata) {
          call.begun = true;
        }

        @Override
        public void outboundHeaders() {
          call.sent = true;
        }

        @Override
        public void inboundTrailers(Metadata trailers) {
          call.answered = true;
        }
      };
    }
  }
}
