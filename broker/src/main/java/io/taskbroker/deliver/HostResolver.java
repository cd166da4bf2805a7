package io.taskbroker.deliver;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.SynchronizationContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Looks up the addresses of a worker's host as the Java platform does, whatever the name: that of
/// the gRPC library takes none with an underscore. Confined to the channel's synchronization
/// context, but for the look-up.
final class HostResolver extends NameResolver {
  private static final String SCHEME = "taskbroker-worker";

  private final String authority;
  private final String host;
  private final int port;
  private final SynchronizationContext context;
  private final Executor blocking;
  private @Nullable Listener2 listener;
  private boolean lookingUp;

  private HostResolver(WorkerAddress address, Args args) {
    this.authority = address.authority();
    this.host = address.host();
    this.port = address.port();
    this.context = args.getSynchronizationContext();
    this.blocking = Objects.requireNonNull(args.getOffloadExecutor(), "executor for look-ups");
  }

  /// What names the address to a channel.
  static String target(WorkerAddress address) {
    String host = address.host().contains(":") ? "[" + address.host() + "]" : address.host();
    return SCHEME + ":///" + host + ":" + address.port();
  }

  /// Makes channels understand [#target].
  static void register() {
    NameResolverRegistry.getDefaultRegistry().register(new Provider());
  }

  @Override
  public String getServiceAuthority() {
    return authority;
  }

  @Override
  public void start(Listener2 told) {
    listener = told;
    lookUp();
  }

  @Override
  public void refresh() {
    lookUp();
  }

  @Override
  public void shutdown() {
    listener = null;
  }

  private void lookUp() {
    if (lookingUp || listener == null) {
      return;
    }
    lookingUp = true;
    blocking.execute(() -> {
      StatusOr<List<EquivalentAddressGroup>> found = addresses();
      context.execute(() -> tell(found));
    });
  }

  private void tell(StatusOr<List<EquivalentAddressGroup>> found) {
    lookingUp = false;
    if (listener != null) {
      listener.onResult2(ResolutionResult.newBuilder().setAddressesOrError(found).build());
    }
  }

  private StatusOr<List<EquivalentAddressGroup>> addresses() {
    try {
      return StatusOr.fromValue(
          Stream.of(InetAddress.getAllByName(host))
              .map(address -> new EquivalentAddressGroup(new InetSocketAddress(address, port)))
              .toList());
    } catch (UnknownHostException e) {
      return StatusOr.fromStatus(
          Status.UNAVAILABLE.withDescription("Unable to resolve host " + host).withCause(e));
    }
  }

  private static final class Provider extends NameResolverProvider {
    @Override
    public @Nullable NameResolver newNameResolver(URI target, Args args) {
      String path = target.getPath();
      if (!SCHEME.equals(target.getScheme()) || path == null) {
        return null; // another scheme
      }
      return new HostResolver(
          WorkerAddress.of("", URI.create("http://" + path.substring(1))), args);
    }

    @Override
    public String getDefaultScheme() {
      return SCHEME;
    }

    @Override
    public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
      return Set.of(InetSocketAddress.class);
    }

    @Override
    protected boolean isAvailable() {
      return true;
    }

    /// Below that of DNS, which is to stay the one for targets without a scheme.
    @Override
    protected int priority() {
      return 0;
    }
  }
}
