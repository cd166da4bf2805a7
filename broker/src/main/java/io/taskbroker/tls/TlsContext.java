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

/// TLS 1.2 and 1.3 context for HTTP that follows its files while the broker runs.
///
/// Every connection uses the current contents of the files: they are checked before a handshake, at
/// most once a second, and reloaded if changed. If the new contents are invalid, a warning is
/// logged and the previous ones stay in use. Existing connections are not affected. Thread-safe;
/// reads files, which is short, in the connecting thread.
public final class TlsContext extends SslContext {
  private static final Logger LOG = LoggerFactory.getLogger(TlsContext.class);
  private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final TlsFiles files;
  private final boolean client;
  private final boolean http2;
  private SslContext current;
  private List<String> stamps;
  private String lastProblem = "";
  private long checkedAt = System.nanoTime();

  private TlsContext(TlsFiles files, boolean client, boolean http2) {
    this.files = files;
    this.client = client;
    this.http2 = http2;
    this.stamps = files.stamps();
    this.current = load();
  }

  /// Context of a server. If there is a CA, clients must present a certificate.
  ///
  /// @throws TlsException if the files are not there, or hold something else
  public static TlsContext server(TlsFiles files) {
    return new TlsContext(files, false, true);
  }

  /// Context of a server for HTTP/1.1. If there is a CA, clients must present a certificate.
  ///
  /// @throws TlsException if the files are not there, or hold something else
  public static TlsContext http1Server(TlsFiles files) {
    return new TlsContext(files, false, false);
  }

  /// Engine of a new connection.
  public SSLEngine newEngine() {
    return newEngine(ByteBufAllocator.DEFAULT);
  }

  /// Context of a client. Servers must present a certificate for the name that they are called by.
  ///
  /// @throws TlsException if the files are not there, or hold something else
  public static TlsContext client(TlsFiles files) {
    return new TlsContext(files, true, true);
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
  @SuppressWarnings("deprecation") // the return type of the overridden method
  public synchronized ApplicationProtocolNegotiator applicationProtocolNegotiator() {
    return current.applicationProtocolNegotiator();
  }

  @Override
  public synchronized SSLSessionContext sessionContext() {
    return current.sessionContext();
  }

  private synchronized SslContext latest() {
    long now = System.nanoTime();
    if (now - checkedAt >= CHECK_NANOS) {
      checkedAt = now;
      reload();
    }
    return current;
  }

  /// Reloads changed files; a file that changes during the reload is reloaded the next time.
  private void reload() {
    try {
      List<String> found = files.stamps();
      if (found.equals(stamps)) {
        return;
      }
      // An earlier session could resume without the certificates that are now required.
      current = load();
      stamps = found;
      lastProblem = "";
      LOG.info("TLS files changed: new connections use {}", files);
    } catch (TlsException e) {
      String message = String.valueOf(e.getMessage());
      if (!message.equals(lastProblem)) {
        lastProblem = message;
        LOG.warn("TLS files changed but are invalid, the previous ones stay in use: {}", message);
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
              http2
                  ? new ApplicationProtocolConfig(
                      Protocol.ALPN,
                      SelectorFailureBehavior.NO_ADVERTISE,
                      SelectedListenerFailureBehavior.ACCEPT,
                      ApplicationProtocolNames.HTTP_2)
                  : ApplicationProtocolConfig.DISABLED)
          .build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new TlsException("Cannot set up TLS with " + files + ": " + e.getMessage(), e);
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
