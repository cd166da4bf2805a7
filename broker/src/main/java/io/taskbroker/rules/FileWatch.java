package io.taskbroker.rules;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Waits until a file may have changed. It watches the folders, not the file: most files are
/// changed by putting another in their place, those of Kubernetes by putting another link in the
/// place of one that leads to them. One thread.
final class FileWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FileWatch.class);

  /// So long nothing must happen before a change is taken for complete, and so often it may begin
  /// anew.
  private static final long QUIET_MS = 200;

  private static final int MAX_UNREST = 20;

  private final Path file;
  private final @Nullable WatchService watcher;

  FileWatch(Path file) {
    this.file = file.toAbsolutePath();
    this.watcher = open();
  }

  private @Nullable WatchService open() {
    try {
      return file.getFileSystem().newWatchService();
    } catch (IOException | UnsupportedOperationException e) {
      log.warn("Cannot watch {}, changes of it are noticed late: {}", file, e.getMessage());
      return null;
    }
  }

  /// Notes where the file is now. To be called before each reading, so that no change is missed.
  void locate() {
    watch(file.getParent());
    try {
      watch(file.toRealPath().getParent());
    } catch (IOException _) {
      // There is no such file now; its folder tells when there is.
    }
  }

  private void watch(@Nullable Path folder) {
    if (watcher == null || folder == null) {
      return;
    }
    try {
      folder.register(
          watcher,
          StandardWatchEventKinds.ENTRY_CREATE,
          StandardWatchEventKinds.ENTRY_MODIFY,
          StandardWatchEventKinds.ENTRY_DELETE);
    } catch (IOException | ClosedWatchServiceException _) {
      // There is no such folder now, or too many are watched: what changes is noticed late.
    }
  }

  /// Waits for a change, and until it seems to be complete, or for the time.
  void await(Duration longest) throws InterruptedException {
    if (watcher == null) {
      new CountDownLatch(1).await(longest.toMillis(), TimeUnit.MILLISECONDS);
      return;
    }
    WatchKey key = watcher.poll(longest.toMillis(), TimeUnit.MILLISECONDS);
    for (int i = 0; key != null && i < MAX_UNREST; i++) {
      key.pollEvents();
      key.reset();
      key = watcher.poll(QUIET_MS, TimeUnit.MILLISECONDS);
    }
    if (key != null) {
      key.reset();
    }
  }

  @Override
  public void close() throws IOException {
    if (watcher != null) {
      watcher.close();
    }
  }
}
