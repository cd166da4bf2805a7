package io.taskbroker.deliver;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.PushResult;
import io.taskbroker.runtime.Deadlines.Deadline;
import io.taskbroker.wire.Signatures;
import org.jspecify.annotations.Nullable;

/// One push call: delivers an activation to a worker, with retries on other connections. Runs on
/// the event loop.
final class PushCall extends ClientCall.Listener<byte[]> implements Runnable {
  static final MethodDescriptor<PushMessage, byte[]> METHOD =
      MethodDescriptor.newBuilder(PushMessage.Marshaller.MARSHALLER, Bytes.MARSHALLER)
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("sentry_protos.taskbroker.v1.WorkerService/PushTask")
          .build();

  /// Delay before the engine is notified of a broken connection.
  private static final long REPORT_DELAY_NANOS = 20_000_000;

  /// Path that signatures cover.
  static final String PATH = "/" + METHOD.getFullMethodName();

  private static final Metadata.Key<String> SIGNATURE =
      Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER);
  private static final CallOptions.Key<@Nullable PushCall> TRACED =
      CallOptions.Key.create("io.taskbroker.push");
  private static final CallOptions OPTIONS =
      CallOptions.DEFAULT.withStreamTracerFactory(new Tracers());

  /// Deadline of the response.
  final Deadline<PushCall> deadline = new Deadline<>(this);

  private final PushLoop pushes;
  private final WorkerPool pool;
  private final Delivery delivery;
  private long begunAt = System.nanoTime();
  private @Nullable ClientCall<PushMessage, byte[]> call;
  private @Nullable PushMessage unsent;
  private @Nullable WorkerConnection connection;

  /// Target of the last connection.
  private @Nullable Target target;

  private int attempts;
  private boolean begun;
  private boolean sent;
  private boolean answered;
  private boolean ended;

  PushCall(PushLoop pushes, WorkerPool pool, Delivery delivery) {
    this.pushes = pushes;
    this.pool = pool;
    this.delivery = delivery;
  }

  Delivery delivery() {
    return delivery;
  }

  /// Starts the clock of the call.
  ///
  /// @return nanoseconds since the call was created
  long begin() {
    long madeAt = begunAt;
    begunAt = System.nanoTime();
    return begunAt - madeAt;
  }

  /// Nanoseconds since the call started.
  long nanos() {
    return System.nanoTime() - begunAt;
  }

  /// Starts the call.
  @Override
  public void run() {
    PushMessage first = new PushMessage(delivery.payload());
    String closed = pushes.closed();
    String tooLarge = pushes.tooLarge(first.length());
    if (closed != null) {
      pushes.report(delivery, PushOutcome.UNREACHABLE, closed);
    } else if (tooLarge != null) {
      pushes.report(delivery, PushOutcome.REFUSED, tooLarge);
    } else {
      unsent = first;
      pushes.began(this);
      pool.send(this, begunAt);
    }
  }

  /// Whether the engine was notified of the outcome, or is about to be.
  boolean hasEnded() {
    return ended;
  }

  /// Sends the call on a connection.
  void send(WorkerConnection chosen) {
    connection = chosen;
    target = chosen.target;
    chosen.begin();
    attempts++;
    begun = false;
    sent = false;
    answered = false;
    PushMessage message = unsent == null ? new PushMessage(delivery.payload()) : unsent;
    unsent = null;
    try {
      Metadata headers = new Metadata();
      String signature = pushes.sign(message);
      if (signature != null) {
        headers.put(SIGNATURE, signature);
      }
      ClientCall<PushMessage, byte[]> created =
          chosen.channel().newCall(METHOD, OPTIONS.withOption(TRACED, this));
      call = created;
      created.start(this, headers);
      // A second response is an error that only a second request detects.
      created.request(2);
      created.sendMessage(message);
      created.halfClose();
    } catch (RuntimeException e) {
      abandon("Cannot send: " + e);
    }
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    // A channel also ends calls on its name-resolver thread.
    if (pushes.isCurrentThread()) {
      closed(status);
    } else {
      pushes.run(() -> closed(status));
    }
  }

  /// Ends the call without waiting for a response.
  void abandon(String why) {
    PushOutcome outcome = begun ? PushOutcome.UNANSWERED : PushOutcome.UNREACHABLE;
    detach(outcome);
    end(outcome, why);
    ClientCall<PushMessage, byte[]> started = call;
    if (started != null) {
      started.cancel(why, null);
    }
  }

  private void closed(Status status) {
    PushOutcome outcome = PushStatusClassifier.of(status, begun, sent, answered);
    String detail = detail(status, outcome);
    detach(outcome);
    if (ended) {
      return;
    }
    boolean undelivered = outcome == PushOutcome.BUSY || outcome == PushOutcome.UNREACHABLE;
    if (undelivered && attempts < WorkerPool.MAX_ATTEMPTS && pool.resend(this, begunAt)) {
      pushes.retried(this, outcome);
      return;
    }
    if (outcome == PushOutcome.LOST) {
      // By then other broken connections are known, and new ones can be opened.
      pushes.after(REPORT_DELAY_NANOS, () -> end(outcome, detail));
    } else {
      end(outcome, detail);
    }
  }

  private String detail(Status status, PushOutcome outcome) {
    if (outcome == PushOutcome.ACCEPTED) {
      return "";
    }
    String detail = PushStatusClassifier.detail(status);
    return status.getCode() == Status.Code.UNAUTHENTICATED
        ? detail + pushes.signingDetail()
        : detail;
  }

  /// Detaches the call from its connection.
  private void detach(PushOutcome outcome) {
    WorkerConnection used = connection;
    if (used != null) {
      connection = null;
      pool.ended(used, outcome, answered, begunAt, System.nanoTime());
    }
  }

  private void end(PushOutcome outcome, String detail) {
    if (!ended) {
      ended = true;
      pushes.ended(this, result(outcome, detail));
    }
  }

  private PushResult result(PushOutcome outcome, String detail) {
    Target used = target;
    return outcome == PushOutcome.ACCEPTED && used != null
        ? used.accepted
        : PushResult.of(outcome, detail, outcome != PushOutcome.ACCEPTED && pool.hasOther());
  }

  /// Tracer factory: records whether a call reached a connection, and whether its status came from
  /// the remote side.
  private static final class Tracers extends ClientStreamTracer.Factory {
    @Override
    public ClientStreamTracer newClientStreamTracer(
        ClientStreamTracer.StreamInfo info, Metadata headers) {
      PushCall call = info.getCallOptions().getOption(TRACED);
      if (call == null) {
        throw new IllegalStateException("The call has no PushCall option");
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
