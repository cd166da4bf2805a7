package io.taskbroker;

import com.sun.management.UnixOperatingSystemMXBean;
import io.taskbroker.runtime.Progress;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Supply of file descriptors: without one no connection is accepted, neither to Kafka nor to a
/// worker is one made. The watchdog, whose thread alone uses it, has it try one at each look; a
/// broker that cannot open any is not ready (G9).
final class FileDescriptors implements Progress {
  private static final Logger log = LoggerFactory.getLogger(FileDescriptors.class);

  /// What a broker has open without any worker, twice.
  static final long LEAST = 256;

  private static final Path PROBE = Path.of("/dev/null");

  private final long limit;
  private final Path probe;
  private long opened;
  private boolean exhausted;

  /// @param limit how many the process may have
  FileDescriptors(long limit) {
    this(limit, PROBE);
  }

  /// @param probe the file that is opened at each look
  FileDescriptors(long limit, Path probe) {
    this.limit = limit;
    this.probe = probe;
  }

  /// How many the process may have; a large number where that is not known.
  static long limitOfProcess() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
        ? system.getMaxFileDescriptorCount()
        : Long.MAX_VALUE;
  }

  /// How many connections may be let in, so that enough is left for all else.
  static int connections(long limit, int wanted) {
    return (int) Math.max(1, Math.min(wanted, limit - LEAST));
  }

  /// Why no broker can work with such a limit.
  static String tooFew(long limit) {
    return "the limit of open files is %d, and a broker needs %d, and one more for each connection of a worker: raise it (ulimit -n, LimitNOFILE)"
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

  /// Tries.
  @Override
  public long done() {
    try (var _ = new FileInputStream(probe.toFile())) {
      opened++;
      if (exhausted) {
        exhausted = false;
        log.info("Files and connections can be opened again");
      }
    } catch (IOException e) {
      if (!exhausted) {
        exhausted = true;
        log.error(
            "No file or connection can be opened: {}. The limit of the process is {}: raise it"
                + " (ulimit -n, LimitNOFILE), or have fewer workers connect",
            e.getMessage(),
            limit);
      }
    }
    return opened;
  }
}
