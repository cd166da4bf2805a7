package io.taskbroker;

import com.sun.management.UnixOperatingSystemMXBean;
import io.taskbroker.runtime.Progress;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Probe of the file descriptor supply: without a free descriptor the broker can neither accept nor
/// open connections. The watchdog opens one file per check, on its own thread; a broker that cannot
/// open any is not ready (G9).
final class FileDescriptors implements Progress {
  private static final Logger log = LoggerFactory.getLogger(FileDescriptors.class);

  /// Twice the number of descriptors that a broker without workers uses.
  static final long LEAST = 256;

  private static final Path PROBE = Path.of("/dev/null");

  private final long limit;
  private final Path probe;
  private long opened;
  private boolean exhausted;

  /// @param limit descriptors that the process may open
  FileDescriptors(long limit) {
    this(limit, PROBE);
  }

  /// @param probe file opened at each check
  FileDescriptors(long limit, Path probe) {
    this.limit = limit;
    this.probe = probe;
  }

  /// Descriptors that the process may open; [Long#MAX_VALUE] if unknown.
  static long limitOfProcess() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
        ? system.getMaxFileDescriptorCount()
        : Long.MAX_VALUE;
  }

  /// Number of connections to accept, so that enough descriptors remain for everything else.
  static int connections(long limit, int wanted) {
    return (int) Math.max(1, Math.min(wanted, limit - LEAST));
  }

  /// Error message for a limit too low for any broker.
  static String tooFew(long limit) {
    return "the limit of open files is %d; a broker needs %d plus one per worker connection: raise it (ulimit -n, LimitNOFILE)"
        .formatted(limit, LEAST);
  }

  @Override
  public String name() {
    return "opening of files and connections";
  }

  @Override
  public boolean hasWork() {
    return exhausted;
  }

  /// Opens and closes the probe file.
  @Override
  public long done() {
    try (var _ = new FileInputStream(probe.toFile())) {
      opened++;
      if (exhausted) {
        exhausted = false;
        log.info("Can open files and connections again");
      }
    } catch (IOException e) {
      if (!exhausted) {
        exhausted = true;
        log.error(
            "Cannot open files or connections: {}. The limit of the process is {}: raise it"
                + " (ulimit -n, LimitNOFILE), or connect fewer workers",
            e.getMessage(),
            limit);
      }
    }
    return opened;
  }
}
