package io.taskbroker.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http2.Http2SecurityUtil;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSessionContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// TLS 1.2 and 1.3 for HTTP/2, by files that may change while the broker runs.
///
/// Every connection is made with what the files hold at that time: they are looked at before a
/// handshake, at most once a second, and read again if they changed. If what they hold then is
/// wrong, a warning says so and what they held before stays. Connections that exist are not
/// touched. Thread-safe; looks at files, which is short, in the thread that connects.
public final class TlsContext extends SslContext {
  private static final Logger LOG = LoggerFactory.getLogger(TlsContext.class);
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final TlsFiles files;
  private final boolean client;
  private SslContext current;
  private List<String> stamps;
  private String complaint = "";
  private long lookedAt = System.nanoTime();

  private TlsContext(TlsFiles files, boolean client) {
    this.files = files;
    this.client = client;
    this.stamps = files.stamps();
    this.current = load();
  }

  /// For a server. Clients must show a certificate if there is a CA.
  ///
  /// @throws TlsException if the files are not there, or hold something else
  public static TlsContext server(TlsFiles files) {
    return new TlsContext(files, false);
  }

  /// For a client. Servers must show a certificate for the name that they are called by.
  ///
  /// @throws TlsException if the files are not there, or hold something else
  public static TlsContext client(TlsFiles files) {
    return new TlsContext(files, true);
  }

  @Override
  public boolean isClient() {
    return client;
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator) {
    return latest().newEngine(allocator);
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator, String peerHost, int peerPort) {
    return latest().newEngine(allocator, peerHost, peerPort);
  }

  @Override
  public synchronized List<String> cipherSuites() {
    return current.cipherSuites();
  }

  @Override
  @SuppressWarnings("deprecation") // the type of what must be overridden
  public synchronized ApplicationProtocolNegotiator applicationProtocolNegotiator() {
    return current.applicationProtocolNegotiator();
  }

  @Override
  public synchronized SSLSessionContext sessionContext() {
    return current.sessionContext();
  }

  private synchronized SslContext latest() {
    long now = System.nanoTime();
    if (now - lookedAt >= LOOK_NANOS) {
      lookedAt = now;
      reload();
    }
    return current;
  }

  /// What changes while it is read is read again the next time.
  private void reload() {
    try {
      List<String> found = files.stamps();
      if (found.equals(stamps)) {
        return;
      }
      // A session of before could go on without the certificates that are asked for now.
      current = load();
      stamps = found;
      complaint = "";
      LOG.info("The files of TLS changed: new connections use {}", files);
    } catch (TlsException e) {
      String message = String.valueOf(e.getMessage());
      if (!message.equals(complaint)) {
        complaint = message;
        LOG.warn("The files of TLS changed, what was read before stays in use: {}", message);
      }
    }
  }

  private SslContext load() {
    SslContextBuilder builder = client ? SslContextBuilder.forClient() : server();
    if (client) {
      files
          .identity()
          .map(pair -> Identity.read(pair.certificate(), pair.key()))
          .ifPresent(identity -> builder.keyManager(identity.key(), identity.chain()));
      builder.endpointIdentificationAlgorithm("HTTPS");
    }
    files.ca().ifPresent(ca -> builder.trustManager(ca.certificates()));
    try {
      return builder
          .sslProvider(SslProvider.JDK)
          .protocols("TLSv1.3", "TLSv1.2")
          .ciphers(Http2SecurityUtil.CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
          .applicationProtocolConfig(
              new ApplicationProtocolConfig(
                  Protocol.ALPN,
                  SelectorFailureBehavior.NO_ADVERTISE,
                  SelectedListenerFailureBehavior.ACCEPT,
                  ApplicationProtocolNames.HTTP_2))
          .build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new TlsException("Cannot set TLS up with " + files + ": " + e.getMessage(), e);
    }
  }

  private SslContextBuilder server() {
    Identity identity =
        files
            .identity()
            .map(pair -> Identity.read(pair.certificate(), pair.key()))
            .orElseThrow(() -> new TlsException("A server needs a certificate and a key"));
    return SslContextBuilder.forServer(identity.key(), identity.chain())
        .clientAuth(files.ca().isPresent() ? ClientAuth.REQUIRE : ClientAuth.NONE);
  }
}
