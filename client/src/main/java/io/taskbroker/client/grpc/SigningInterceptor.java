package io.taskbroker.client.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.MessageLite;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import org.jspecify.annotations.Nullable;

/// Signs each call by HMAC-SHA256 in its metadata: a unary call by method and message, so that its
/// headers are sent with the message; a stream by method and time.
final class SigningInterceptor implements ClientInterceptor {

  private static final Metadata.Key<String> SIGNED_AT =
      Metadata.Key.of("taskbroker-signed-at", Metadata.ASCII_STRING_MARSHALLER);

  private final Signature signature;

  SigningInterceptor(String secret) {
    signature = new Signature(secret);
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    ClientCall<Q, A> call = next.newCall(method, options);
    return method.getType() == MethodDescriptor.MethodType.UNARY
        ? new SignedCall<>(call, method.getFullMethodName())
        : new SignedStream<>(call, method.getFullMethodName());
  }

  private final class SignedStream<Q, A> extends SimpleForwardingClientCall<Q, A> {
    private final String method;

    SignedStream(ClientCall<Q, A> call, String method) {
      super(call);
      this.method = method;
    }

    @Override
    public void start(Listener<A> responses, Metadata metadata) {
      String now = Long.toString(System.currentTimeMillis());
      metadata.put(SIGNED_AT, now);
      metadata.put(Signature.HEADER, signature.of(method, now.getBytes(UTF_8)));
      super.start(responses, metadata);
    }
  }

  private final class SignedCall<Q, A> extends SimpleForwardingClientCall<Q, A> {
    private final String method;
    private ClientCall.@Nullable Listener<A> listener;
    private @Nullable Metadata headers;
    private int requested;

    SignedCall(ClientCall<Q, A> call, String method) {
      super(call);
      this.method = method;
    }

    @Override
    public void start(Listener<A> responses, Metadata metadata) {
      listener = responses;
      headers = metadata;
    }

    @Override
    public void request(int count) {
      if (listener == null) {
        super.request(count);
      } else {
        requested += count;
      }
    }

    @Override
    public void sendMessage(Q message) {
      Listener<A> responses = listener;
      Metadata metadata = headers;
      if (responses != null && metadata != null) {
        metadata.put(Signature.HEADER, signature.of(method, ((MessageLite) message).toByteArray()));
        listener = null;
        delegate().start(responses, metadata);
        if (requested > 0) {
          delegate().request(requested);
        }
      }
      super.sendMessage(message);
    }

    @Override
    public void cancel(@Nullable String text, @Nullable Throwable cause) {
      Listener<A> responses = listener;
      if (responses != null && headers != null) {
        listener = null;
        delegate().start(responses, headers);
      }
      super.cancel(text, cause);
    }
  }
}
